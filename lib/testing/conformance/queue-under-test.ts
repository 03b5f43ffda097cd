import { commandsOf } from '../../event-store/checked-command-queue-store.ts'
import type {
  ClaimCommandsOptions,
  ClaimedCommands,
  CommandQueueStore,
  EnqueueResult,
  GroupClaim,
  NewQueuedCommand,
  QueuedCommand,
  Settlement,
  StoredFailure,
} from '../../event-store/command-queue-store.ts'
import { assert, assertEqual, eventually, fail } from './assertions.ts'
import { unlessCommands, type CaseDefinition } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

/** Does not run out while a case is under way. */
export const LONG_LEASE_MS = 60_000
/** Runs out while a case waits for it. */
export const SHORT_LEASE_MS = 25
/** Passes while a case waits for it. */
export const SHORT_DELAY_MS = 25

export const declined: StoredFailure = Object.freeze({ code: 'card_declined', message: 'declined', name: 'Error' })

/** The wishes of a claim that wants whatever there is. */
export function claimOf(owner: string, changes: Partial<ClaimCommandsOptions> = {}): ClaimCommandsOptions {
  return { owner, groups: 100, commandsOfEach: 100, lease: LONG_LEASE_MS, ...changes }
}

/** The ids that each claimed group gives, in the order in which the groups were given. */
export function idsOf({ claims }: Pick<ClaimedCommands, 'claims'>): string[][] {
  return claims.map(({ commands }) => commands.map(({ commandId }) => commandId))
}

export function positionOf(results: readonly EnqueueResult[]): number {
  const [result] = results
  return result?.status === 'enqueued' ? result.position : fail(`the command was answered ${String(result?.status)}`)
}

/** What a case about queued commands works with. */
export class QueueUnderTest {
  readonly queue: CommandQueueStore
  readonly tested: StoreUnderTest

  constructor(tested: StoreUnderTest, queue = commandsOf(tested.store)) {
    this.tested = tested
    this.queue = queue
  }

  command(commandId: string, streamId = 'account-1', changes: Partial<NewQueuedCommand> = {}): NewQueuedCommand {
    return {
      ...{ commandId, streamId, type: 'DepositMoney', lane: 1, strict: false, byCaller: false },
      ...{ correlationId: 'request-1', causationId: commandId, fingerprint: 'the same', depth: 0, createdAt: 5 },
      ...{ tenant: undefined, idempotencyKey: undefined, notBefore: undefined, delay: undefined },
      ...{ deadline: undefined, metadata: {}, options: {}, ...this.tested.data({ amount: 5 }) },
      ...changes,
    }
  }

  /** Stores one command. */
  async put(commandId: string, streamId = 'account-1', changes: Partial<NewQueuedCommand> = {}): Promise<number> {
    return positionOf(await this.queue.enqueue([this.command(commandId, streamId, changes)]))
  }

  /** Tries to store one command. */
  async try(commandId: string, changes: Partial<NewQueuedCommand> = {}, streamId = 'account-1') {
    const [result] = await this.queue.enqueue([this.command(commandId, streamId, changes)])
    return result ?? fail('there was no answer')
  }

  async claim(owner = 'one', changes: Partial<ClaimCommandsOptions> = {}): Promise<ClaimedCommands> {
    return this.queue.claim(claimOf(owner, changes))
  }

  /** Claims the one group that there is to claim. */
  async claimOne(owner = 'one', changes: Partial<ClaimCommandsOptions> = {}): Promise<GroupClaim> {
    const { claims } = await this.claim(owner, changes)
    const [claimed] = claims
    assertEqual(claims.length, 1, 'the number of groups that were claimed')
    return claimed as GroupClaim
  }

  /** Claims just so many commands as soon as they are due. */
  async claimWhenDue(owner: string, changes: Partial<ClaimCommandsOptions> = {}): Promise<ClaimedCommands> {
    let claimed: ClaimedCommands = { claims: [], nextIn: undefined }
    await eventually('there is something to claim', async () => {
      claimed = await this.claim(owner, changes)
      return claimed.claims.length > 0
    })
    return claimed
  }

  /** Lets so much time pass by the store's clock, and a little more. */
  async pass(milliseconds: number): Promise<void> {
    const until = (await this.queue.now()) + milliseconds
    await eventually(`${milliseconds} ms have passed`, async () => (await this.queue.now()) > until)
  }

  /** Claims, and nothing else is there to be claimed. */
  async assertClaim(expected: readonly (readonly string[])[], owner = 'one'): Promise<ClaimedCommands> {
    const claimed = await this.claim(owner)
    assertEqual(idsOf(claimed), expected, 'what was claimed')
    return claimed
  }

  /** Ends all commands of a claim in one way. */
  async settle(hold: GroupClaim, how: Omit<Extract<Settlement, { state: 'completed' }>, 'commandId' | 'hold'>) {
    const answers = await this.queue.settle(hold.commands.map(({ commandId }) => ({ commandId, hold, ...how })))
    assert(
      answers.every((answer) => answer),
      'a settlement was refused',
    )
  }

  complete(hold: GroupClaim): Promise<void> {
    return this.settle(hold, { state: 'completed', result: undefined })
  }

  /** Ends one command, which must be possible. */
  async end(settlement: Settlement): Promise<QueuedCommand> {
    assertEqual(await this.queue.settle([settlement]), [true], `the settlement as ${settlement.state}`)
    return this.read(settlement.commandId)
  }

  async read(commandId: string): Promise<QueuedCommand> {
    const [command] = await this.queue.read([commandId])
    return command ?? fail(`the command ${commandId} is not there`)
  }

  async state(commandId: string): Promise<string> {
    return (await this.read(commandId)).state
  }

  /** Makes a dead letter of a command that nobody has claimed. */
  async kill(commandId: string, streamId = 'account-1', changes: Partial<NewQueuedCommand> = {}): Promise<number> {
    const position = await this.put(commandId, streamId, changes)
    const hold = await this.claimOne('killer')
    await this.end({ commandId, hold, state: 'dead', failure: declined, failed: true })
    return position
  }
}

/** A case on a store that keeps commands. */
export function queueCase(name: string, run: (queue: QueueUnderTest) => Promise<void>): CaseDefinition {
  return { name, skip: unlessCommands, run: async (tested) => run(new QueueUnderTest(tested)) }
}
