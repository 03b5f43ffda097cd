import type { GroupClaim, QueuedCommand } from '../event-store/command-queue-store.ts'
import type { Moment } from '../event-store/passing-time.ts'
import type { Attempted } from './command-run.ts'

export interface GroupRunServices {
  /** One attempt at a command. */
  attempt(command: QueuedCommand, signal: AbortSignal): Promise<Attempted>
  /** Stores how a command ended: false where the claim holds no more. */
  settle(claim: GroupClaim, command: QueuedCommand, attempted: Attempted): Promise<boolean>
  /** Puts back what was not begun. */
  giveBack(claim: GroupClaim, commands: readonly QueuedCommand[]): Promise<void>
  /** Whether the group is to make room for others, after this command. */
  isToYield(run: GroupRun): boolean
  /** Whether a lease that began then may be over. */
  isDoubtful(since: Moment): boolean
}

/** The commands of one claim, one after another. */
export class GroupRun {
  readonly claim: GroupClaim
  /** In whose name it was claimed. */
  readonly owner: string
  readonly beganAt: Moment
  readonly #services: GroupRunServices
  readonly #abort = new AbortController()
  /** When the lease began that holds now. */
  #leasedAt: Moment
  #renewed: (() => void)[] = []
  #stops = false

  constructor(services: GroupRunServices, claim: GroupClaim, owner: string, claimedAt: Moment) {
    this.#services = services
    this.claim = claim
    this.owner = owner
    this.beganAt = claimedAt
    this.#leasedAt = claimedAt
  }

  /** Whether some of it may be held still, and is not run any more. */
  get isLost(): boolean {
    return this.#abort.signal.aborted
  }

  /** What runs is run to its end, and nothing more is begun. */
  stop(): void {
    this.#stops = true
    this.#answer()
  }

  renewed(at: Moment): void {
    this.#leasedAt = at
    this.#answer()
  }

  /** Another worker may have it: what runs is stopped where it can be. */
  lose(): void {
    this.#stops = true
    this.#abort.abort(new Error('the worker has lost its hold of the aggregate'))
    this.#answer()
  }

  /** Resolves when all is stored, or given back. Rejects where that cannot be: then the lease runs out. */
  async run(): Promise<void> {
    const { commands } = this.claim
    const settling: Promise<boolean>[] = []
    let next = 0
    for (; next < commands.length; next++) {
      if (next > 0 && this.#services.isToYield(this)) break
      if (!(await this.#mayBegin())) break
      const command = commands[next] as QueuedCommand
      const attempted = await this.#services.attempt(command, this.#abort.signal)
      if (this.#abort.signal.aborted && attempted.result === undefined) return
      const settled = this.#services.settle(this.claim, command, attempted)
      settling.push(settled)
      // Whoever waits for them all hears of it.
      const told = settled.then(
        (written) => {
          if (!written) this.lose()
        },
        () => {
          this.stop()
        },
      )
      if (leavesNoTrace(attempted)) await told
      if (command.strict && blocks(attempted)) {
        next++
        break
      }
    }
    const left = this.#abort.signal.aborted ? [] : commands.slice(next)
    await Promise.all([...settling, this.#services.giveBack(this.claim, left)])
  }

  /** Not where it stops; where the lease is in doubt, the answer comes with its renewal. */
  async #mayBegin(): Promise<boolean> {
    while (!this.#stops && this.#services.isDoubtful(this.#leasedAt)) {
      await new Promise<void>((resolve) => void this.#renewed.push(resolve))
    }
    return !this.#stops
  }

  #answer(): void {
    for (const resolve of this.#renewed.splice(0)) resolve()
  }
}

/**
 * What was appended is found again by whoever takes over. Of anything else only the queue knows: were the next command to take effect
 * before that is stored, this one could be decided once more after it.
 */
function leavesNoTrace({ result }: Attempted): boolean {
  return result === undefined || result.events.length === 0
}

/** A strict command that is not done keeps those behind it from being run. */
function blocks({ ending }: Attempted): boolean {
  return ending.state === 'delayed' || ending.state === 'dead'
}
