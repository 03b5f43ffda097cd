import type { PreparedDispatch } from '../dispatch/dispatcher.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import { DuplicateCommandError, isEdictError, ReceiptTimeoutError, StoreError } from '../errors.ts'
import type {
  CommandQueueStore,
  EnqueueResult,
  GroupClaim,
  NewQueuedCommand,
  QueuedCommand,
} from '../event-store/command-queue-store.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { CommandReceipt } from '../routing/command-receipt.ts'
import type { EnqueueOptions, ProcessOptions } from '../routing/enqueue-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { CallRuns } from './call-runs.ts'
import { attempt, type Attempted } from './command-run.ts'
import { refuseSignal, refuseWaiting, splitOptions, type SplitOptions } from './enqueue-checks.ts'
import { Maintenance } from './maintenance.ts'
import type { QueueServices } from './queue-services.ts'
import { QueueTelemetry } from './queue-telemetry.ts'
import { outcomeOf, Receipt, type ReceiptServices } from './receipt.ts'
import { isOver, ReceiptWaits } from './receipt-waits.ts'
import { Settler } from './settler.ts'
import { newCommand } from './stored-command.ts'
import { WorkerPool } from './worker-pool.ts'

export interface CommandQueueOptions extends QueueServices {
  /** How many aggregates' commands this process runs at once; 0 where it runs none. */
  readonly workers: number
  /** The error of an application that does not run; undefined where it does. */
  readonly notRunning: () => Error | undefined
}

/** The stored commands of one application: how they come in, who runs them, and who waits for them. */
export class CommandQueue {
  readonly receipts: ReceiptServices
  readonly #options: CommandQueueOptions
  readonly #commands: CommandQueueStore
  readonly #settler: Settler
  readonly #calls: CallRuns
  readonly #waits: ReceiptWaits
  #pool: WorkerPool
  #workers: number
  readonly #maintenance: Maintenance
  readonly #telemetry: QueueTelemetry
  #endWatch: (() => void) | undefined

  constructor(options: CommandQueueOptions) {
    this.#options = options
    this.#commands = options.commands
    const { clock, logger } = options.dispatching
    const { commands, random, policy } = options
    this.#telemetry = new QueueTelemetry(options.dispatching)
    this.#settler = new Settler({ commands, clock, random, logger })
    this.#calls = new CallRuns({ ...options, settler: this.#settler })
    const watch = (): void => {
      this.#watch()
    }
    this.#waits = new ReceiptWaits({ commands, clock, logger, watch, pollInterval: policy.pollInterval })
    const mustRun = (): void => {
      const error = options.notRunning()
      if (error !== undefined) throw error
    }
    this.receipts = { ...options, waits: this.#waits, mustRun }
    this.#workers = options.workers
    this.#pool = this.#makePool(options.workers)
    this.#maintenance = new Maintenance({ ...options, calls: this.#calls })
  }

  #makePool(workers: number): WorkerPool {
    return new WorkerPool({
      ...this.#options,
      workers,
      settler: this.#settler,
      attempt: (command, signal) => this.#attempt(command, signal),
      settle: (claim, command, attempted) => this.#settle(claim, command, attempted),
    })
  }

  /** From the next start on. */
  workWith(workers: number): void {
    this.#workers = workers
    this.#pool = this.#makePool(workers)
  }

  start(): void {
    this.#settler.begin()
    if (this.#workers === 0) return
    this.#watch()
    this.#pool.start()
    this.#maintenance.start()
  }

  /** Lets what runs end, and gives back what was not begun; those who wait for commands do so no more. */
  async stop(patience: number): Promise<void> {
    this.#maintenance.stop()
    this.#endWatch?.()
    this.#endWatch = undefined
    const { clock } = this.#options.dispatching
    await Promise.all([this.#pool.stop(patience), waitAtMost(clock, patience, this.#calls.idle())])
    const error = this.#options.notRunning()
    if (isEdictError(error)) this.#waits.end(error)
  }

  /** Runs what is due until nothing is, for tests: how many commands that were. */
  drain(): Promise<number> {
    return this.#makePool(1).drain()
  }

  async enqueue(command: unknown, given: EnqueueOptions | undefined): Promise<CommandReceipt> {
    const split = splitOptions(given)
    refuseSignal(split.dispatch)
    return this.#enqueue(this.#options.dispatcher.prepare(command, split.dispatch), split)
  }

  async #enqueue(prepared: PreparedDispatch, split: SplitOptions): Promise<CommandReceipt> {
    const { queued, answer } = await this.#store(prepared, split, false)
    if (answer.status === 'enqueued') {
      this.#pool.wake()
      return new Receipt(this.receipts, queued.commandId, answer.position)
    }
    const { command } = answer
    if (await this.#isAbandoned(command)) return this.#enqueue(prepared, split)
    return new Receipt(this.receipts, command.commandId, command.position)
  }

  /** Stores the command, runs it here, and stores its outcome. */
  async run(command: unknown, given: ProcessOptions | undefined): Promise<ExecutionResult> {
    const split = splitOptions(given)
    refuseWaiting(split.queueing)
    return this.#run(this.#options.dispatcher.prepare(command, split.dispatch), split)
  }

  async #run(prepared: PreparedDispatch, split: SplitOptions): Promise<ExecutionResult> {
    const { queued, answer } = await this.#store(prepared, split, true)
    if (answer.status === 'enqueued') return this.#calls.run(queued, prepared, split.dispatch)
    const { command } = answer
    const here = this.#calls.running(command.commandId)
    if (here !== undefined) return here
    if (isOver(command)) return outcomeOf(this.#options, { command })
    return this.#follow(command, prepared, split)
  }

  /** The first one is waiting, or runs elsewhere. */
  async #follow(command: QueuedCommand, prepared: PreparedDispatch, split: SplitOptions): Promise<ExecutionResult> {
    const { timeout } = prepared.options
    let left = timeout
    const isCallers = command.byCaller && command.state === 'running'
    for (;;) {
      const patience = isCallers ? await this.#calls.patienceWith(command) : Infinity
      if (patience === 0) break
      try {
        return await outcomeOf(this.#options, await this.#waits.wait(command.commandId, Math.min(left, patience)))
      } catch (error) {
        if (!isEdictError(error) || error.code !== 'receipt_timeout') throw error
      }
      if (patience > left) throw new ReceiptTimeoutError(command.commandId, timeout)
      // By now it may be committed, and wait for handlers; or the store's clock is a little behind.
      left -= patience
    }
    await this.#calls.interrupted(command)
    return this.#run(prepared, split)
  }

  /** A caller's command whose caller has died is to be stored anew. */
  async #isAbandoned(command: QueuedCommand): Promise<boolean> {
    if (!command.byCaller || command.state !== 'running') return false
    if (this.#calls.running(command.commandId) !== undefined) return false
    if ((await this.#calls.patienceWith(command)) > 0) return false
    await this.#calls.interrupted(command)
    return true
  }

  async #store(
    prepared: PreparedDispatch,
    split: SplitOptions,
    byCaller: boolean,
  ): Promise<{ readonly queued: NewQueuedCommand; readonly answer: Exclude<EnqueueResult, { status: 'duplicate' }> }> {
    const made = await newCommand(this.#options, prepared, split, byCaller)
    return this.#telemetry.enqueue(made, prepared, async (added?: Metadata) => {
      const queued = added === undefined ? made : { ...made, metadata: Object.freeze({ ...made.metadata, ...added }) }
      const [answer] = await this.#commands.enqueue([queued])
      if (answer === undefined) throw new StoreError('the event store gave no answer to an enqueue', UNKNOWN)
      if (answer.status !== 'duplicate') return { queued, answer }
      const { commandId, streamId, idempotencyKey } = answer.command
      const key = idempotencyKey === queued.idempotencyKey ? idempotencyKey : undefined
      throw new DuplicateCommandError(commandId, streamId, true, key)
    })
  }

  #attempt(command: QueuedCommand, signal: AbortSignal): Promise<Attempted> {
    return attempt(this.#options, command, signal)
  }

  async #settle(claim: GroupClaim, command: QueuedCommand, attempted: Attempted): Promise<boolean> {
    const { commandId } = command
    const { streamId, lane, epoch } = claim
    const { ending } = attempted
    const written = await this.#settler.settle({ commandId, hold: { streamId, lane, epoch }, ...ending })
    if (!written) return false
    this.#telemetry.settled(command, attempted, attempted.since)
    // Nobody is told of an outcome before it is stored.
    if (attempted.result !== undefined && ending.state === 'completed') {
      this.#waits.tell(commandId, { result: attempted.result })
    } else if (attempted.error !== undefined && ending.state === 'rejected') {
      this.#waits.tell(commandId, { error: attempted.error })
    } else if (ending.state === 'dead' || ending.state === 'expired') this.#waits.look()
    return true
  }

  #watch(): void {
    if (this.#endWatch !== undefined || this.#options.notRunning() !== undefined) return
    try {
      this.#endWatch = this.#commands.watch(() => {
        this.#pool.wake()
        this.#waits.look()
      })
    } catch (err) {
      this.#options.dispatching.logger.warn({ err }, 'stored commands cannot be watched; they are polled instead')
    }
  }
}

const UNKNOWN = Object.freeze({ outcome: 'unknown' as const })
