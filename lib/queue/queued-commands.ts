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
  /** @default 100 */
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
  /** By position. */
  list(filter?: Omit<CommandFilter, 'states'>): Promise<readonly CommandStatus[]>
  /** Undefined where that is no dead letter. */
  get(commandId: string): Promise<CommandStatus | undefined>
  /**
   * Queues dead letters anew, with all their attempts before them: one, or all that are meant.
   *
   * @returns how many
   */
  replay(which: string | Omit<CommandFilter, 'states'>): Promise<number>
  /**
   * Gives dead letters up for good.
   *
   * @returns how many
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
   * @throws {UnknownCommandError} `unknown_command`
   */
  receipt(commandId: string): Promise<CommandReceipt>
  /** By position. */
  list(filter?: CommandFilter): Promise<readonly CommandStatus[]>
  /** Takes a command back: whether it was still waiting to be run. */
  cancel(commandId: string): Promise<boolean>
  depth(): Promise<QueueDepth>
  readonly deadLetters: DeadLetters
}
