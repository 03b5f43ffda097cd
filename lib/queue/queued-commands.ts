import type { CommandState } from '../event-store/command-queue-store.ts'
import type { CommandReceipt, CommandStatus } from '../routing/command-receipt.ts'
import type { Priority } from '../routing/enqueue-options.ts'

/** Which stored commands are meant. What is not said does not matter. */
export interface CommandFilter {
  readonly states?: readonly CommandState[]
  /** Types of commands. */
  readonly types?: readonly string[]
  readonly streamId?: string
  readonly tenant?: string
  readonly correlationId?: string
  /** Those behind this position. */
  readonly after?: number
  /** At most this many. @default 100; all of them, where they are replayed or discarded */
  readonly limit?: number
}

/** How many stored commands wait, and for how long. */
export interface QueueDepth {
  /** How many are in each state; those that are over, as long as they are kept. */
  readonly states: Readonly<Record<CommandState, number>>
  /** How many are due, or run, in each lane. */
  readonly priorities: Readonly<Record<Priority, number>>
  /** How long the oldest has been due that still waits for a worker, in milliseconds; 0 where none does. */
  readonly oldestAge: number
}

/** Commands that failed too often, or in a way that no attempt mends. */
export interface DeadLetters {
  /**
   * Those that are meant, by position.
   *
   * @throws {InvalidOptionError} `invalid_option`; NotRunningError `not_running`
   */
  list(filter?: Omit<CommandFilter, 'states'>): Promise<readonly CommandStatus[]>
  /** Undefined where that is no dead letter. */
  get(commandId: string): Promise<CommandStatus | undefined>
  /**
   * Queues dead letters anew, with all their attempts before them: one, or all that are meant.
   *
   * @example
   * await bank.commands.deadLetters.replay({ types: ['DepositMoney'] })
   *
   * @param which the id of a command, or a filter; `{}` means all
   * @returns how many
   * @throws {InvalidOptionError} `invalid_option`; NotRunningError `not_running`
   */
  replay(which: string | Omit<CommandFilter, 'states'>): Promise<number>
  /**
   * Gives dead letters up for good.
   *
   * @param which the id of a command, or a filter; `{}` means all
   * @returns how many
   * @throws {InvalidOptionError} `invalid_option`; NotRunningError `not_running`
   */
  discard(which: string | Omit<CommandFilter, 'states'>): Promise<number>
}

/** The stored commands of an application's store, in the hands of code. */
export interface QueuedCommands {
  /** Undefined where it is not stored, or not any more. */
  get(commandId: string): Promise<CommandStatus | undefined>
  /**
   * The receipt of a stored command, for another request, or another process, than the one that enqueued it.
   *
   * @example
   * const receipt = await bank.commands.receipt('c9f1')
   * console.log((await receipt.status()).state)
   *
   * @throws {UnknownCommandError} `unknown_command` where it is not stored, or not any more; NotRunningError `not_running`
   */
  receipt(commandId: string): Promise<CommandReceipt>
  /**
   * Those that are meant, by position.
   *
   * @example
   * const waiting = await bank.commands.list({ states: ['queued', 'delayed'] })
   *
   * @throws {InvalidOptionError} `invalid_option`; NotRunningError `not_running`
   */
  list(filter?: CommandFilter): Promise<readonly CommandStatus[]>
  /** Takes a command back: whether it was still waiting to be run. One that runs, or is over, stays as it is. */
  cancel(commandId: string): Promise<boolean>
  /** How many wait, and for how long; of the whole store, as others that share it enqueue and run them too. */
  depth(): Promise<QueueDepth>
  readonly deadLetters: DeadLetters
}
