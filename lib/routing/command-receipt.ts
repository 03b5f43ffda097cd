import type { CommandState, StoredFailure } from '../event-store/command-queue-store.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { Priority } from './enqueue-options.ts'
import type { ExecutionResult } from './execution-result.ts'

/** A stored command at one moment: plain, frozen data. */
export interface CommandStatus {
  readonly commandId: string
  /** Its place among all stored commands, from 1. */
  readonly position: number
  readonly type: string
  /** Undefined where it cannot be read any more. */
  readonly data: unknown
  readonly state: CommandState
  readonly priority: Priority
  readonly strict: boolean
  /** How often it was tried and did not come to an end: it failed, or its worker died. */
  readonly attempts: number
  /** Of the last attempt that failed; why it was rejected. */
  readonly failure: StoredFailure | undefined
  /** The stream of its aggregate. */
  readonly streamId: string
  readonly tenant: string | undefined
  readonly idempotencyKey: string | undefined
  readonly correlationId: string
  readonly causationId: string
  readonly metadata: Metadata
  /** How many events led to it, one after another. */
  readonly depth: number
  readonly deadline: Date | undefined
  /** By the store's clock: since when, or from when on, it may be run. */
  readonly dueAt: Date
  readonly enqueuedAt: Date
  /** When its state changed last. */
  readonly changedAt: Date
}

/** How long to wait for what becomes of a stored command. */
export interface CompletedOptions {
  /** Milliseconds, or `Infinity`. @default 30_000 */
  readonly timeout?: number
}

/** What whoever enqueues a command holds in hand: the command is stored, and this follows it. */
export interface CommandReceipt<out Result = ExecutionResult> {
  readonly commandId: string
  /** Its place among all stored commands, from 1. */
  readonly position: number
  /**
   * Where it stands now.
   *
   * @throws {UnknownCommandError} `unknown_command` where it is over, and is not kept any more
   */
  status(): Promise<CommandStatus>
  /**
   * Waits until it is over, and gives what `dispatch` would have given. What a handler gave with `reply` is there as far as JSON and the
   * values of messages go; it is lost where a worker died between the events and the outcome.
   *
   * @example
   * const receipt = await bank.enqueue(DepositMoney({ accountNumber: 'ACC123', amount: 5 }))
   * const { aggregateState } = await receipt.completed({ timeout: 10_000 })
   *
   * @throws {CommandRejectedError} with the rejection's code, as `dispatch` would
   * @throws {CommandDeadError} `command_dead`, with the last failure as its cause
   * @throws {CommandExpiredError} `command_expired`; CommandCancelledError `command_cancelled`
   * @throws {ReceiptTimeoutError} `receipt_timeout` where it is not over in time; it goes on
   */
  completed(options?: CompletedOptions): Promise<Result>
  /** Takes it back: whether it was still waiting to be run. */
  cancel(): Promise<boolean>
}

/** What `process` gives: the result of a command that is run now, the receipt of one that is run later. */
export type Processed<Result, Processing, Asynchronous> = [Asynchronous] extends [true]
  ? CommandReceipt<Result>
  : [Asynchronous] extends [false]
    ? Result
    : [Asynchronous] extends [undefined]
      ? ProcessedByDefault<Result, Processing>
      : CommandReceipt<Result> | Result

type ProcessedByDefault<Result, Processing> = [Processing] extends ['sync']
  ? Result
  : [Processing] extends ['async']
    ? CommandReceipt<Result>
    : CommandReceipt<Result> | Result
