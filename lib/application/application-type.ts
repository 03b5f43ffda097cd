import type { Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape, StateOf } from '../aggregate/aggregate-shape.ts'
import type { BatchOptions, BatchResult, CommandsFor, ResultsOf } from '../batches/batch-type.ts'
import type { DryRunOptions, DryRunReport } from '../batches/dry-run-type.ts'
import type { Workflow } from '../batches/workflow.ts'
import type { Result } from '../effects/result.ts'
import type { WaitOptions } from '../dispatch/position-waits.ts'
import type { EventDefinition } from '../messages/message.ts'
import type { CommandReceipt, Processed } from '../routing/command-receipt.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { EnqueueOptions, ProcessOptions } from '../routing/enqueue-options.ts'
import type { CommandFor, DispatchFailure, ResultOf, RouteOf } from '../routing/registered-route.ts'
import type { EventHandler } from '../subscribers/event-handler.ts'
import type { HandlerControl, ProcessManagerControl } from '../subscribers/handler-control.ts'
import type { TelemetryListener } from '../telemetry/telemetry.ts'
import type { TelemetryName } from '../telemetry/telemetry-events.ts'
import type { ProcessId } from '../subscribers/process-interest.ts'
import type { NoProcessManager, ProcessManager } from '../subscribers/process-manager.ts'
import type { Projection } from '../subscribers/projection.ts'
import type { QueuedCommands } from '../queue/queued-commands.ts'
import type { ApplicationMetrics } from './application-metrics.ts'
import type { CommandProcessing } from './queue-definition.ts'

/** Whose aggregate is looked at. */
export interface InstanceOptions {
  /** @default nobody's */
  readonly tenant?: string
}

/**
 * Routers, an event store and handlers, assembled. `Routes` is what its router has registered, by command type; `Processing` is the
 * `commandProcessing` that it was defined with.
 */
export interface Application<Routes, Processing extends CommandProcessing = 'sync'> extends AsyncDisposable {
  readonly name: string
  /**
   * Opens the store and starts the handlers; from then on it takes commands.
   *
   * @throws {DefinitionError} `invalid_definition` where an application of this name runs already
   * @throws {StoreError} `store_failed`
   */
  start(): Promise<this>
  /**
   * Takes no more commands, waits for those under way and for the handlers, and closes the store. What does not end by itself is left
   * after five seconds.
   *
   * @throws {StoreError} `store_failed` where a handler, or the store, could not be stopped
   * @throws {CommandFailedError} `command_failed` where a middleware's `stopped` failed
   */
  stop(): Promise<void>
  /**
   * Runs a command now.
   *
   * @example
   * const { aggregateVersion, events, aggregateState } = await bank.dispatch(DepositMoney({ accountNumber: 'ACC123', amount: 5 }))
   *
   * @throws {EdictError} with a `code`, and an `outcome` that says whether the command took effect
   */
  dispatch<Type extends string, Route = RouteOf<Routes, Type>>(
    command: CommandFor<Route, Type>,
    options?: DispatchOptions,
  ): Promise<ResultOf<Route, Type>>
  /**
   * As `dispatch`, with a result for what a right program has to reckon with: rejections, timeouts and version conflicts.
   * Everything else still rejects.
   *
   * @example
   * const outcome = await bank.tryDispatch(DepositMoney({ accountNumber: 'nobody', amount: 5 }))
   * if (!outcome.ok) outcome.error.code // 'account_not_open' | 'command_timeout' | …
   */
  tryDispatch<
    Type extends string,
    Route = RouteOf<Routes, Type>,
    Deadline extends DispatchOptions['deadline'] = undefined,
  >(
    command: CommandFor<Route, Type>,
    options?: DispatchOptions & { readonly deadline?: Deadline },
  ): Promise<Result<ResultOf<Route, Type>, DispatchFailure<Routes, Type, Deadline>>>
  /**
   * Stores a command, to be run later by a worker of this process or another one. It is checked and routed now: nothing is stored of one
   * that is not registered or not valid.
   *
   * @example
   * const receipt = await bank.enqueue(DepositMoney({ accountNumber: 'ACC123', amount: 5 }), { idempotencyKey: 'payment-7' })
   * console.log(receipt.commandId)
   *
   * @throws {DuplicateCommandError} `duplicate_command` where another payload has the command id, or the key
   * @throws {UnsupportedCapabilityError} `unsupported_capability` where the store keeps no commands
   * @throws {EdictError} as `dispatch`, for what is wrong with a command before it runs
   */
  enqueue<Type extends string, Route = RouteOf<Routes, Type>>(
    command: CommandFor<Route, Type>,
    options?: EnqueueOptions,
  ): Promise<CommandReceipt<ResultOf<Route, Type>>>
  /**
   * Stores a command, and runs it now (`commandProcessing: 'sync'`, or `asynchronous: false`) or leaves it to a worker (`'async'`, or
   * `asynchronous: true`). Run now, it gives or rejects with what `dispatch` would; what came of it is stored. On a store that keeps no
   * commands, it is run without being stored.
   *
   * @example
   * const { aggregateState } = await bank.process(DepositMoney({ accountNumber: 'ACC123', amount: 5 }), { asynchronous: false })
   * const receipt = await bank.process(DepositMoney({ accountNumber: 'ACC123', amount: 5 }), { asynchronous: true })
   *
   * @throws {EdictError} as `dispatch`, or as `enqueue`
   */
  process<Type extends string, Route = RouteOf<Routes, Type>, Asynchronous extends boolean | undefined = undefined>(
    command: CommandFor<Route, Type>,
    options?: ProcessOptions<Asynchronous>,
  ): Promise<Processed<ResultOf<Route, Type>, Processing, Asynchronous>>
  /**
   * The stored commands of its store, in the hands of code: how they stand; cancel; what becomes of dead letters.
   *
   * @example
   * for (const { commandId, failure } of await bank.commands.deadLetters.list()) console.log(commandId, failure?.message)
   *
   * @throws {UnsupportedCapabilityError} `unsupported_capability` where the store keeps no commands
   */
  readonly commands: QueuedCommands
  /**
   * Runs commands in one transaction, one after another: all of them take effect, or none. Those that command handlers and workflows
   * schedule meanwhile come after them. Each sees what the ones before it have left.
   *
   * @example
   * const { results } = await bank.executeCommands(
   *   WithdrawMoney({ accountNumber: 'ACC123', amount: 5 }),
   *   DepositMoney({ accountNumber: 'ACC456', amount: 5 }),
   * )
   *
   * @throws {BatchFailedError} `batch_failed`, which names the command that failed, and has what it failed with as its `cause`
   * @throws {UnsupportedCapabilityError} `unsupported_capability` where the store cannot commit several streams at once
   * @throws {EdictError} with a `code`, and an `outcome` that says whether the batch took effect
   */
  executeCommands<const Types extends readonly string[]>(
    ...commands: CommandsFor<Routes, Types>
  ): Promise<BatchResult<ResultsOf<Routes, Types>>>
  /**
   * As above, with options.
   *
   * @example
   * const command = DepositMoney({ accountNumber: 'ACC123', amount: 5 })
   * await bank.executeCommands([command], { consistency: 'strong' })
   */
  executeCommands<const Types extends readonly string[]>(
    commands: CommandsFor<Routes, Types>,
    options?: BatchOptions,
  ): Promise<BatchResult<ResultsOf<Routes, Types>>>
  /**
   * Tells what a command, or a batch, would do: which events it would store, who would get them, and which commands would come of
   * that, to any depth. Nothing is stored, and neither event handlers nor middleware run. Command handlers and workflows do run, as
   * nobody knows else what they would do; they are told that it is a dry run.
   *
   * @example
   * const { ok, commands } = await bank.dryRun(DepositMoney({ accountNumber: 'ACC123', amount: 5 }))
   * console.log(ok, commands.flatMap(({ events }) => events.map(({ type }) => type)))
   *
   * @throws {EdictError} where a command could not even be routed
   */
  dryRun<Type extends string, Route = RouteOf<Routes, Type>>(
    command: CommandFor<Route, Type>,
    options?: DryRunOptions,
  ): Promise<DryRunReport>
  dryRun<const Types extends readonly string[]>(
    commands: CommandsFor<Routes, Types>,
    options?: DryRunOptions,
  ): Promise<DryRunReport>
  /**
   * Waits until handlers have handled every event up to a position: so one request can read what another one has written, on whatever
   * node. A position that no event has yet is waited for; 0 is before the first event.
   *
   * @example
   * const { position } = await bank.dispatch(DepositMoney({ accountNumber: 'ACC123', amount: 5 }))
   * await bank.waitFor(position, { handlers: ['account-balances'] })
   *
   * @throws {InvalidOptionError} `invalid_option` where that is no position, or a handler is unknown or eventually consistent
   * @throws {PositionTimeoutError} `position_timeout` where they have not in time, or where one of them has stopped; `laggards` names them
   * @throws {NotRunningError} `not_running` where the application does not run, or stops meanwhile
   */
  waitFor(position: number, options?: WaitOptions): Promise<void>
  /**
   * The state of one instance, as the store knows it now; that of a new one where it has no events.
   *
   * @example
   * const { balance } = await bank.aggregateState(BankAccount, 'ACC123')
   *
   * @throws {InvalidIdentityError} `invalid_identity`
   * @throws {InvalidOptionError} `invalid_option` where no router of it registers the aggregate; NotRunningError `not_running`
   * @throws {StoreError} `store_failed`; UnreadableEventError `unreadable_event`
   */
  aggregateState<Shape extends AggregateShape>(
    aggregate: Aggregate<string, Shape>,
    identity: string | number | bigint | object,
    options?: InstanceOptions,
  ): Promise<Readonly<StateOf<Shape>>>
  /**
   * The version of one instance: how many events it has.
   *
   * @example
   * const expectedVersion = await bank.aggregateVersion(BankAccount, 'ACC123')
   * await bank.dispatch(DepositMoney({ accountNumber: 'ACC123', amount: 5 }), { expectedVersion })
   *
   * @returns 0 where it has none
   * @throws {EdictError} as `aggregateState`
   */
  aggregateVersion(
    aggregate: Aggregate,
    identity: string | number | bigint | object,
    options?: InstanceOptions,
  ): Promise<number>
  /**
   * Keeps a snapshot of one instance now, so that only the events after it are read. The application's `snapshots` must name its
   * aggregate; `{ every: Infinity }` is enough.
   *
   * @example
   * await bank.snapshot(BankAccount, 'ACC123')
   *
   * @returns the version that it is of; 0, and nothing is kept, where the instance has no events
   * @throws {InvalidOptionError} `invalid_option`; StoreError `store_failed`; CommandFailedError `command_failed` where the state cannot be kept
   */
  snapshot(
    aggregate: Aggregate,
    identity: string | number | bigint | object,
    options?: InstanceOptions,
  ): Promise<number>
  /**
   * Takes one instance out of memory, after the commands that came before. It comes back from its stream with the next command.
   *
   * @example
   * await bank.evict(BankAccount, 'ACC123')
   *
   * @returns whether it was in memory
   * @throws {InvalidIdentityError} `invalid_identity`; InvalidOptionError `invalid_option`; NotRunningError `not_running`
   */
  evict(aggregate: Aggregate, identity: string | number | bigint | object, options?: InstanceOptions): Promise<boolean>
  /**
   * An event handler or a process manager of this application in the hands of code: how it does; start and stop; what is parked, and
   * what becomes of that. An event handler can be reset too.
   *
   * @example
   * await bank.handler(accountBalances).replay()
   *
   * @throws {InvalidOptionError} `invalid_option` where it has no such handler
   * @throws {NotRunningError} `not_running`
   */
  handler(handler: ((EventHandler | Workflow) & NoProcessManager) | string): HandlerControl
  handler(handler: ProcessManager): ProcessManagerControl
  /**
   * The state of one instance of a process manager, as the store knows it now; undefined where it does not run.
   *
   * @example
   * const state = await bank.processState(moneyTransfer, 'T1')
   *
   * @throws {InvalidOptionError} `invalid_option` where that is no process manager of this application
   * @throws {UnreadableStateError} `unreadable_state`
   */
  processState<State>(
    processManager: ProcessManager<string, readonly EventDefinition[], State>,
    instanceId: ProcessId,
    options?: InstanceOptions,
  ): Promise<Readonly<State> | undefined>
  /**
   * Builds the tables of a projection anew beside those that are read, from its first event on, and swaps them when they have caught up.
   * Done when readers see the new ones. Where a rebuild is under way already, here or on another node, it waits for that one.
   *
   * @example
   * await bank.rebuild(balancesByAccount)
   *
   * @throws {InvalidOptionError} `invalid_option` where that is no projection of this application
   * @throws {NotRunningError} `not_running` where the application, or the projection, does not run
   */
  rebuild(projection: Projection): Promise<void>
  /**
   * Listens to what the application does, under a name of the telemetry reference. A listener is called at once, in the middle of the
   * work, so it should be quick; what it throws is logged.
   *
   * @example
   * const off = bank.on('dispatch:stop', ({ command, duration }) => console.log(`${command} took ${duration} ms`))
   * off()
   *
   * @returns a function that ends the subscription
   * @throws {InvalidOptionError} `invalid_option` where there is no event of this name
   */
  on<Name extends TelemetryName>(name: Name, listener: TelemetryListener<Name>): () => void
  /**
   * How the application fares: the lag of its handlers, its live aggregates, and what it has counted since it was made.
   *
   * @example
   * const { dispatches, handlers } = await bank.metrics()
   * console.log(dispatches.executed, handlers['account-balances']?.lagSeconds)
   *
   * @throws {NotRunningError} `not_running`
   */
  metrics(): Promise<ApplicationMetrics>
}
