import type { MaybePromise } from '../effects/maybe-promise.ts'
import { afterwards } from '../effects/maybe-promise.ts'
import { UnsupportedCapabilityError } from '../errors.ts'
import { isList, isRecord } from './answer-checks.ts'
import { checkText, checkWhole } from './argument-checks.ts'
import { isYesOrNoForEach } from './checkpoint-checks.ts'
import {
  checkClaimCommands,
  checkCommandIds,
  checkedCommand,
  checkedListCommands,
  checkedSettlement,
  checkList,
  checkStates,
  isAnswerForEach,
} from './command-queue-checks.ts'
import type {
  ClaimCommandsOptions,
  ClaimedCommands,
  CommandCount,
  CommandQueueStore,
  CommandState,
  EnqueueResult,
  GroupHold,
  ListCommandsOptions,
  NewQueuedCommand,
  QueuedCommand,
  Settlement,
} from './command-queue-store.ts'
import type { EventStore } from './event-store.ts'
import { deeplyFrozen } from './frozen-json.ts'
import type { StoreDoor } from './store-door.ts'

/**
 * Where a store keeps commands that are run later.
 *
 * @throws {UnsupportedCapabilityError} `unsupported_capability`, with the store's name, where it keeps none
 */
export function commandsOf(store: EventStore): CommandQueueStore {
  if (store.commands !== undefined) return store.commands
  throw new UnsupportedCapabilityError(store.name, 'commands that are run later (commands)')
}

/** The checks in front of what a store keeps of commands; what it gives is frozen here. */
export class CheckedCommandQueueStore implements CommandQueueStore {
  readonly #commands: CommandQueueStore
  readonly #door: StoreDoor
  readonly #encoded: boolean

  constructor(commands: CommandQueueStore, door: StoreDoor, encoded: boolean) {
    this.#commands = commands
    this.#door = door
    this.#encoded = encoded
  }

  enqueue(commands: readonly NewQueuedCommand[]): MaybePromise<readonly EnqueueResult[]> {
    this.#door.mustBeOpen('enqueue')
    checkList('enqueue', 'commands', commands)
    const checked = commands.map((command) => checkedCommand(command, this.#encoded))
    if (checked.length === 0) return []
    const answer = this.#door.run(
      'enqueue',
      () => this.#commands.enqueue(checked),
      (results) => isAnswerForEach(results, checked),
      'unknown',
    )
    return afterwards(answer, (results) => results.map(frozenResult))
  }

  claim(options: ClaimCommandsOptions): MaybePromise<ClaimedCommands> {
    this.#door.mustBeOpen('claim')
    checkClaimCommands(options)
    const isAnswer = (answer: ClaimedCommands) => isRecord(answer) && isList(answer.claims)
    const answer = this.#door.run('claim', () => this.#commands.claim(options), isAnswer, 'unknown')
    return afterwards(answer, (claimed) => {
      for (const { commands } of claimed.claims) commands.forEach(frozenCommand)
      return claimed
    })
  }

  renew(owner: string, lease: number): MaybePromise<readonly GroupHold[]> {
    this.#door.mustBeOpen('renew')
    checkText('renew', 'owner', owner)
    checkWhole('renew', 'lease', lease, 1)
    return this.#door.run('renew', () => this.#commands.renew(owner, lease), isList)
  }

  settle(settlements: readonly Settlement[]): MaybePromise<readonly boolean[]> {
    this.#door.mustBeOpen('settle')
    checkList('settle', 'settlements', settlements)
    const checked = settlements.map(checkedSettlement)
    return this.#forEach('settle', checked, () => this.#commands.settle(checked))
  }

  read(commandIds: readonly string[]): MaybePromise<readonly QueuedCommand[]> {
    this.#door.mustBeOpen('read')
    checkCommandIds('read', commandIds)
    if (commandIds.length === 0) return []
    return afterwards(
      this.#door.run('read', () => this.#commands.read(commandIds), isList),
      (commands) => commands.map(frozenCommand),
    )
  }

  list(options?: ListCommandsOptions): MaybePromise<readonly QueuedCommand[]> {
    this.#door.mustBeOpen('list')
    const whole = checkedListCommands(options)
    return afterwards(
      this.#door.run('list', () => this.#commands.list(whole), isList),
      (commands) => commands.map(frozenCommand),
    )
  }

  count(states?: readonly CommandState[]): MaybePromise<readonly CommandCount[]> {
    this.#door.mustBeOpen('count')
    checkStates('count', states)
    return this.#door.run('count', () => this.#commands.count(states), isList)
  }

  cancel(commandIds: readonly string[]): MaybePromise<readonly boolean[]> {
    this.#door.mustBeOpen('cancel')
    checkCommandIds('cancel', commandIds)
    return this.#forEach('cancel', commandIds, () => this.#commands.cancel(commandIds))
  }

  replay(commandIds: readonly string[]): MaybePromise<readonly boolean[]> {
    this.#door.mustBeOpen('replay')
    checkCommandIds('replay', commandIds)
    return this.#forEach('replay', commandIds, () => this.#commands.replay(commandIds))
  }

  discard(commandIds: readonly string[]): MaybePromise<readonly boolean[]> {
    this.#door.mustBeOpen('discard')
    checkCommandIds('discard', commandIds)
    return this.#forEach('discard', commandIds, () => this.#commands.discard(commandIds))
  }

  #forEach(
    operation: string,
    asked: readonly unknown[],
    call: () => MaybePromise<readonly boolean[]>,
  ): MaybePromise<readonly boolean[]> {
    if (asked.length === 0) return []
    return this.#door.run(operation, call, (answer) => isYesOrNoForEach(answer, asked), 'unknown')
  }

  purge(olderThan: number, limit: number): MaybePromise<number> {
    this.#door.mustBeOpen('purge')
    checkWhole('purge', 'olderThan', olderThan, 0)
    checkWhole('purge', 'limit', limit, 1)
    return this.#door.run('purge', () => this.#commands.purge(olderThan, limit), Number.isSafeInteger)
  }

  now(): MaybePromise<number> {
    this.#door.mustBeOpen('now')
    return this.#door.run('now', () => this.#commands.now(), Number.isFinite)
  }

  watch(listener: () => void): () => void {
    return this.#door.watch(listener, (wake) => this.#commands.watch(wake))
  }
}

function frozenResult(result: EnqueueResult): EnqueueResult {
  if (result.status !== 'enqueued') frozenCommand(result.command)
  return Object.freeze(result)
}

/** The data is the codec's, and may be bytes. */
function frozenCommand(command: QueuedCommand): QueuedCommand {
  if (Object.isFrozen(command)) return command
  deeplyFrozen(command.metadata)
  deeplyFrozen(command.options)
  deeplyFrozen(command.result)
  deeplyFrozen(command.failure)
  return Object.freeze(command)
}
