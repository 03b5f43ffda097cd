// Messages: what is asked for and what has happened.
export { command, event, type EventOptions } from './messages/definition.ts'
export { shape } from './messages/shape.ts'
export { asynchronously, synchronously } from './messages/mark-event.ts'
export type { EventProcessing } from './messages/event-processing.ts'
export type {
  Command,
  CommandDefinition,
  DataOf,
  Event,
  EventDefinition,
  Message,
  MessageOf,
} from './messages/message.ts'
export type { Metadata, RecordedEvent } from './messages/recorded-event.ts'
export type { SerializationContext, Serializer } from './messages/serializer.ts'
export { jsonSerializer } from './messages/json-serializer.ts'
export {
  renamedEvent,
  upcaster,
  type Upcast,
  type UpcastEvent,
  type Upcaster,
  type UpcasterDefinition,
} from './messages/upcaster.ts'

// Aggregates: who decides.
export { aggregate, type Aggregate } from './aggregate/aggregate.ts'
export type { UniqueValue, UniqueValues } from './aggregate/unique.ts'
export { multi } from './aggregate/multi.ts'
export { reject, Rejection } from './aggregate/rejection.ts'
export { reply } from './aggregate/reply.ts'
export type { ExecutionContext } from './aggregate/execution-context.ts'
export type { Multi, Outcome, Reply } from './aggregate/outcome-type.ts'

// Routers: which aggregate, and by which way.
export { router, type Router } from './routing/router.ts'
export { compositeRouter } from './routing/composite-router.ts'
export type { HandlerContext } from './routing/handler-context.ts'
export type { Life, Lifespan } from './routing/lifespan.ts'
export type { Consistency, DispatchOptions } from './routing/dispatch-options.ts'
export type { ExecutionResult } from './routing/execution-result.ts'
export type { AroundMiddleware, HookMiddleware, Middleware, MiddlewareHost, Pipeline } from './routing/middleware.ts'
export type { BeforeExecuteContext } from './routing/route.ts'
export { auditTrail, type AuditTrail, type AuditTrailOptions } from './dispatch/audit-trail.ts'
export { inMemoryAuditStore, type InMemoryAuditStoreOptions } from './audit/in-memory-audit-store.ts'
export type { AuditEntry, AuditOutcome, AuditedEvent } from './audit/audit-entry.ts'
export type { AuditPage, AuditQuery, CheckedAuditQuery } from './audit/audit-query.ts'
export type { AuditStore } from './audit/audit-store.ts'
export type { AuditEventNode, AuditNode } from './audit/audit-tree.ts'
export { commandLogger, type CommandLoggerOptions } from './dispatch/command-logger.ts'

// Units of work: command handlers that load and persist aggregates.
export { commandHandler } from './unit-of-work/command-handler.ts'
export { unitOfWork } from './unit-of-work/call-unit-of-work.ts'
export { UnitOfWork } from './unit-of-work/unit-of-work.ts'
export { currentUnitOfWork } from './unit-of-work/current-unit-of-work.ts'
export type { CommandHandler } from './routing/command-handler-type.ts'
export type { AggregateRoot } from './unit-of-work/aggregate-root.ts'
export type { Repository } from './unit-of-work/repository.ts'
export type { UnitHandlerContext } from './unit-of-work/unit-context.ts'
export type { UnitOfWorkCallOptions, UnitOfWorkOptions } from './unit-of-work/unit-options.ts'
export type { AfterCommit, UnitOfWorkResult } from './unit-of-work/unit-run.ts'
export type { UnitOfWorkScope } from './unit-of-work/unit-scope.ts'

// Queued commands: stored now, run later.
export type { EnqueueOptions, Priority, ProcessOptions } from './routing/enqueue-options.ts'
export type { CommandReceipt, CommandStatus, CompletedOptions, Processed } from './routing/command-receipt.ts'
export type { CommandFilter, DeadLetters, QueueDepth, QueuedCommands } from './queue/queued-commands.ts'
export type { Recurring } from './queue/recurring-body.ts'
export type { CommandProcessing, QueueDefinition } from './application/queue-definition.ts'

// What the compiler works out for you, by name: it writes these into the declaration files of your own packages.
export type { Draft } from './aggregate/draft.ts'
export type { Carrier, NamedStep, Steps } from './aggregate/outcome-type.ts'
export type { AggregateRoute, CommandIn, DispatchFailure, DispatchResult } from './routing/registered-route.ts'
export type { HandlerRoute, ResultOf, RouteMap, UnitRoute } from './routing/registered-route.ts'
export type { RouteListing } from './routing/router-body.ts'
export type { RouterBuilder } from './routing/router-builder.ts'

// Handlers: who follows the events.
export {
  eventHandler,
  type BatchHandlerDefinition,
  type EventHandler,
  type EventHandlerDefinition,
} from './subscribers/event-handler.ts'
export type { BatchHandlerContext } from './subscribers/batch-context.ts'
export type {
  HandlerControl,
  HandlerStatus,
  ParkedEvent,
  ParkedSelection,
  ProcessManagerControl,
  ReplayOutcome,
} from './subscribers/handler-control.ts'
export type { SubscribeTo } from './subscribers/subscribe-to.ts'
export { park, retry, skip, stop, type ErrorAction } from './subscribers/error-action.ts'
export type { EventHandlerContext, RouterDispatch } from './subscribers/handler-context.ts'
export type { FailureContext, HandlerOccasion } from './subscribers/handler-model.ts'

// Process managers: who leads from events to commands, over several aggregates.
export { processManager, type ProcessManager, type ProcessManagerDefinition } from './subscribers/process-manager.ts'
export { continueWith, skipCommand, type CommandAction } from './subscribers/process-error-action.ts'
export type { ProcessFailure, ProcessFailureContext, ProcessManagerContext } from './subscribers/process-context.ts'
export type { ProcessId, ProcessInterest } from './subscribers/process-interest.ts'

// Projections: made by the subpath of a store.
export type { DefineProjection, Projection, ProjectionDefinition } from './subscribers/projection.ts'
export type { ProjectionContext, TableDefinition } from './subscribers/projection-context.ts'

// Batches: commands in one transaction, and what follows from their events.
export { workflow, type BackgroundWorkflow, type ForegroundWorkflow, type Workflow } from './batches/workflow.ts'
export type { WorkflowContext } from './batches/workflow-context.ts'
export type { ScheduleCommands, ScheduledCommands } from './routing/scheduling.ts'
export type {
  BatchLimits,
  BatchOptions,
  BatchResult,
  CommandsFor,
  ResultsOf,
  ScheduledResult,
} from './batches/batch-type.ts'
export type {
  DryRunCommand,
  DryRunEvent,
  DryRunFailure,
  DryRunFollower,
  DryRunOptions,
  DryRunReport,
  DryRunSender,
} from './batches/dry-run-type.ts'

// Applications: all of it, running.
export { application } from './application/application.ts'
export type { Application, InstanceOptions } from './application/application-type.ts'
export type { WaitOptions } from './dispatch/position-waits.ts'
export type { ApplicationDefinition } from './application/definition.ts'

// Telemetry: what an application does, and how it fares.
export type { ApplicationMetrics, CommandMetrics, HandlerMetrics } from './application/application-metrics.ts'
export type { DispatchOutcome } from './telemetry/dispatch-outcome.ts'
export type { Instrumentation } from './telemetry/instrumentation.ts'
export type { OperationName, StartedOperation } from './telemetry/operations.ts'
export type { TelemetryListener } from './telemetry/telemetry.ts'
export type { TelemetryEvents, TelemetryName } from './telemetry/telemetry-events.ts'

// Event stores: where the events are.
export { inMemoryEventStore, type InMemoryEventStoreOptions } from './adapters/in-memory/in-memory-event-store.ts'
export { checkedEventStore } from './event-store/checked-event-store.ts'
export { subscribe, type EventSubscription, type SubscribeOptions } from './event-store/subscribe.ts'
export { readAllEvents, readStreamEvents } from './event-store/read.ts'
export { readRecordedEvents, type ReadRecordedEventsOptions } from './event-store/read-recorded.ts'
export type {
  AllSlice,
  AppendOptions,
  Direction,
  EventStore,
  EventStoreCapabilities,
  ExpectedVersion,
  ReadAllOptions,
  ReadStreamOptions,
  StreamAppend,
  StreamAppendResult,
  StreamSlice,
} from './event-store/event-store.ts'
export type { NewEvent, StoredEvent } from './event-store/stored-event.ts'
export type { Snapshot, SnapshotWriteOptions } from './event-store/snapshot.ts'
export type {
  Checkpoint,
  CheckpointClaim,
  CheckpointHold,
  CheckpointState,
  ClaimOptions,
} from './event-store/checkpoint.ts'
export type { ProjectionStore, Publication } from './event-store/projection-store.ts'
export type {
  ClaimCommandsOptions,
  ClaimedCommands,
  CommandCount,
  CommandQueueStore,
  CommandState,
  EnqueueResult,
  GroupClaim,
  GroupHold,
  Lane,
  ListCommandsOptions,
  NewQueuedCommand,
  QueuedCommand,
  Settlement,
  StoredFailure,
} from './event-store/command-queue-store.ts'
export type { StreamChangeOptions, StreamChangeResult, StreamInfo, StreamState } from './event-store/stream-info.ts'

// The doors for time, ids, randomness and logs.
export { systemClock, type Clock } from './effects/clock.ts'
export { randomIds, systemRandom, type Ids, type Random } from './effects/ids.ts'
export { consoleLogger, type Logger } from './effects/logger.ts'
export type { Result } from './effects/result.ts'

// Errors: each with a stable code, and with what became of the command.
export {
  AbortedError,
  AggregateExistsError,
  AggregateNotAddedError,
  AggregateNotFoundError,
  AmbiguousApplicationError,
  AppendLockTimeoutError,
  BatchFailedError,
  BatchTooLargeError,
  CategoryMismatchError,
  CommandCancelledError,
  CommandDeadError,
  CommandExpiredError,
  CommandFailedError,
  CommandInterruptedError,
  CommandRejectedError,
  CommandTimeoutError,
  ConsistencyTimeoutError,
  DeadlineExceededError,
  DefinitionError,
  DispatchTooDeepError,
  DuplicateCommandError,
  EdictError,
  EventTimeoutError,
  HaltedError,
  InvalidIdentityError,
  InvalidOptionError,
  InvalidOutcomeError,
  MailboxFullError,
  MiddlewareMisuseError,
  MissingDriverError,
  NoApplicationError,
  NotRunningError,
  PositionTimeoutError,
  ProcessAlreadyStartedError,
  ProcessNotStartedError,
  ReceiptTimeoutError,
  ReentrantDispatchError,
  RouterDefinitionError,
  SchemaMismatchError,
  SeveralAggregatesError,
  SchedulingRefusedError,
  StoreError,
  StreamClosedError,
  SubscriptionOwnedError,
  TenantMismatchError,
  UniqueValueTakenError,
  UnitOfWorkMisuseError,
  UnitRolledBackError,
  UnknownCommandError,
  UnreadableEventError,
  UnreadableStateError,
  UnregisteredCommandError,
  UnsupportedCapabilityError,
  UnsupportedVersionError,
  ValidationError,
  VersionConflictError,
  type Issue,
  type Outcome as CommandOutcome,
} from './errors.ts'
