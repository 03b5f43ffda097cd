import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { InvalidOptionError, UnsupportedCapabilityError } from '../errors.ts'
import { shown } from '../event-store/argument-checks.ts'
import { commandsOf } from '../event-store/checked-command-queue-store.ts'
import { CommandQueue } from '../queue/command-queue.ts'
import { refuseWaiting, splitOptions } from '../queue/enqueue-checks.ts'
import type { QueuedCommands } from '../queue/queued-commands.ts'
import { QueuedCommandsBody } from '../queue/queued-commands-body.ts'
import type { RunningRecurrence } from '../queue/recurring-body.ts'
import type { CommandReceipt } from '../routing/command-receipt.ts'
import type { EnqueueOptions, ProcessOptions } from '../routing/enqueue-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { Routing } from '../routing/routing.ts'
import type { CheckedDefinition } from './definition.ts'

/** What an application does with commands that are stored; where its store keeps none, what it says of that. */
export class StoredCommands {
  readonly #definition: CheckedDefinition
  readonly #dispatcher: Dispatcher
  readonly #queue: CommandQueue | undefined
  readonly #body: QueuedCommands | undefined
  /** As `commands`, for whoever has opened the store while the application does not run. */
  readonly commandsAtRest: QueuedCommands | undefined
  #recurrences: RunningRecurrence[] = []

  constructor(
    definition: CheckedDefinition,
    routing: Routing,
    dispatching: DispatchServices,
    dispatcher: Dispatcher,
    notRunning: () => Error | undefined,
  ) {
    this.#definition = definition
    this.#dispatcher = dispatcher
    const { store, queue: policy, random, workers } = definition
    if (store.commands === undefined) return
    const makers = routing.definitions
    const commands = commandsOf(store)
    this.#queue = new CommandQueue({ commands, dispatcher, dispatching, makers, policy, random, workers, notRunning })
    this.#body = new QueuedCommandsBody(this.#queue.receipts)
    this.commandsAtRest = new QueuedCommandsBody({ ...this.#queue.receipts, mustRun: () => undefined })
  }

  /** From the next start on. */
  workWith(workers: number): void {
    this.#queue?.workWith(workers)
  }

  start(): void {
    const { recurring, clock, logger, store } = this.#definition
    this.#queue?.start()
    if (recurring.length === 0) return
    const running = { clock, logger, commands: commandsOf(store), enqueue: this.enqueue.bind(this) }
    this.#recurrences = recurring.map((body) => body.run(running))
    for (const one of this.#recurrences) one.start()
  }

  async stop(patience: number): Promise<void> {
    for (const one of this.#recurrences.splice(0)) one.stop()
    await this.#queue?.stop(patience)
  }

  async drain(): Promise<number> {
    return this.#mustKeep().drain()
  }

  get commands(): QueuedCommands {
    this.#mustKeep()
    // The one is there where the other is.
    return this.#body as QueuedCommands
  }

  async enqueue(command: unknown, options: EnqueueOptions | undefined): Promise<CommandReceipt> {
    return this.#mustKeep().enqueue(command, options)
  }

  async process(command: unknown, options: ProcessOptions | undefined): Promise<ExecutionResult | CommandReceipt> {
    const asynchronous: unknown = options?.asynchronous ?? this.#definition.commandProcessing === 'async'
    if (asynchronous === true) return this.enqueue(command, options)
    if (asynchronous !== false) {
      throw new InvalidOptionError(`asynchronous must be true or false, not ${shown(asynchronous)}`)
    }
    if (this.#queue !== undefined) return this.#queue.run(command, options)
    const { queueing, dispatch } = splitOptions(options)
    refuseWaiting(queueing)
    if (queueing.idempotencyKey !== undefined) this.#mustKeep()
    return this.#dispatcher.dispatch(command, dispatch)
  }

  #mustKeep(): CommandQueue {
    if (this.#queue !== undefined) return this.#queue
    throw new UnsupportedCapabilityError(this.#definition.store.name, 'commands that are run later (commands)')
  }
}
