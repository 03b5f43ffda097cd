// The one catalogue of errors: every code that Edict gives stands here once. See docs/reference/errors.md.

/** Whether the command took effect: not at all, yes, or nobody can tell (the store did not answer in time). */
export type Outcome = 'not-executed' | 'executed' | 'unknown'

/** One thing that is wrong with a message, and where. `path` is empty where the whole value is meant. */
export interface Issue {
  readonly message: string
  readonly path: readonly PropertyKey[]
}

export interface EdictErrorOptions {
  readonly cause?: unknown
  readonly outcome?: Outcome
  readonly executionResult?: unknown
}

/** The base of every error that Edict throws: a stable `code`, and what became of the command. */
export class EdictError<const Code extends string = string> extends Error {
  override readonly name: string = 'EdictError'
  /** Stable; compare this, never the message. */
  readonly code: Code
  readonly outcome: Outcome
  /** What the command gave, where `outcome` is `'executed'`. */
  readonly executionResult?: unknown

  constructor(code: Code, message: string, options: EdictErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.outcome = options.outcome ?? 'not-executed'
    if ('executionResult' in options) this.executionResult = options.executionResult
  }

  /** As ever; it says so itself because `instanceof` of a class with type parameters would make its code `any`. */
  static override [Symbol.hasInstance]<Made>(
    this: abstract new (...given: never[]) => Made,
    value: unknown,
  ): value is Made {
    return Function.prototype[Symbol.hasInstance].call(this, value)
  }
}

/** Whether a value is an error of Edict's; its code then tells which. */
export function isEdictError(value: unknown): value is EdictError {
  try {
    return value instanceof EdictError
  } catch {
    // A proxy that throws when its prototype is asked for.
    return false
  }
}

/**
 * What was thrown where users' code ran: an error of Edict's as it is, and anything else as the cause of a `command_failed`.
 *
 * @param thrown whatever it was
 * @param what failed, for its message: `'the serializer'`
 */
export function asEdictError(thrown: unknown, what: string): EdictError {
  return isEdictError(thrown) ? thrown : new CommandFailedError(what, thrown)
}

/** What was thrown, as a sentence, whatever kind of value it is: even one that throws when it is looked at. */
export function describeThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) {
      // Whatever their types say, both can be any value: String gives a text for each, or throws.
      const { message, name }: { readonly message: unknown; readonly name: unknown } = thrown
      return String(message === '' ? name : message)
    }
    return typeof thrown === 'string' ? thrown : jsonText(thrown)
  } catch {
    return `a value of type ${typeof thrown} that cannot be described`
  }
}

function jsonText(value: unknown): string {
  // JSON has no text for undefined, functions and symbols, whatever its type says.
  const text = JSON.stringify(value) as string | undefined
  return text ?? String(value)
}

function pathText(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : ` at ${path.map(String).join('.')}`
}

/** A message whose data does not satisfy its schema, or cannot be stored. Carries every issue. */
export class ValidationError extends EdictError<'invalid_message'> {
  override readonly name = 'ValidationError'
  readonly messageType: string
  readonly issues: readonly Issue[]

  constructor(messageType: string, issues: readonly Issue[], options: EdictErrorOptions = {}) {
    const list = issues.map((issue) => `${issue.message}${pathText(issue.path)}`).join('; ')
    super('invalid_message', `${messageType} is not valid: ${list}`, options)
    this.messageType = messageType
    this.issues = issues
  }
}

/** No router of the application registers the command. */
export class UnregisteredCommandError extends EdictError<'unregistered_command'> {
  override readonly name = 'UnregisteredCommandError'
  constructor(message: string, options: EdictErrorOptions = {}) {
    super('unregistered_command', message, options)
  }
}

/** The command has no identity that could be one. */
export class InvalidIdentityError extends EdictError<'invalid_identity'> {
  override readonly name = 'InvalidIdentityError'
  constructor(message: string, options: EdictErrorOptions = {}) {
    super('invalid_identity', message, options)
  }
}

/** An option or an argument does not exist, or its value does not fit. */
export class InvalidOptionError extends EdictError<'invalid_option'> {
  override readonly name = 'InvalidOptionError'
  constructor(message: string) {
    super('invalid_option', message)
  }
}

/** The domain said no: `code` is the code that `reject` was given. */
export class CommandRejectedError<const Code extends string = string> extends EdictError<Code> {
  override readonly name = 'CommandRejectedError'
  readonly details: unknown

  constructor(code: Code, commandType: string, details?: unknown) {
    super(code, `${commandType} was rejected: ${code}`)
    this.details = details
  }
}

/** The user's code threw; `cause` is the very value that it threw. */
export class CommandFailedError extends EdictError<'command_failed'> {
  override readonly name = 'CommandFailedError'
  constructor(what: string, cause: unknown, options: EdictErrorOptions = {}) {
    super('command_failed', `${what} failed: ${describeThrown(cause)}`, { ...options, cause })
  }
}

/** Users' code gave what it must not. */
export class InvalidOutcomeError extends EdictError<'invalid_outcome'> {
  override readonly name = 'InvalidOutcomeError'
  constructor(message: string) {
    super('invalid_outcome', message)
  }
}

/** The command did not get through within its `timeout`. */
export class CommandTimeoutError extends EdictError<'command_timeout'> {
  override readonly name = 'CommandTimeoutError'
  /** Milliseconds that the command was given. */
  readonly timeout: number

  constructor(commandType: string, timeout: number, outcome: Outcome) {
    super('command_timeout', `${commandType} ran out of its ${timeout} ms ${whatBecame(outcome)}`, { outcome })
    this.timeout = timeout
  }
}

/** The command's deadline passed before it was executed. */
export class DeadlineExceededError extends EdictError<'deadline_exceeded'> {
  override readonly name = 'DeadlineExceededError'
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly deadline: number

  constructor(commandType: string, deadline: number, outcome: Outcome) {
    const when = dateText(deadline)
    super('deadline_exceeded', `the deadline of ${commandType}, ${when}, passed ${whatBecame(outcome)}`, { outcome })
    this.deadline = deadline
  }
}

/** Of what has no more time. */
function whatBecame(outcome: Outcome): string {
  return outcome === 'unknown' ? 'while its events were being appended' : 'and nothing was stored'
}

function dateText(milliseconds: number): string {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString()
}

/** Commands and events have led to each other for longer than the application allows. */
export class DispatchTooDeepError extends EdictError<'dispatch_too_deep'> {
  override readonly name = 'DispatchTooDeepError'
  /** How many events, each of a command of the one before, led to this command. */
  readonly depth: number

  constructor(commandType: string, depth: number, maxDepth: number) {
    super(
      'dispatch_too_deep',
      `${commandType} is command ${depth} in a chain of commands that events led to, and the application allows ${maxDepth}: ` +
        'do its handlers dispatch for ever?',
    )
    this.depth = depth
  }
}

/** Some handlers have not reached the position that somebody waited for. */
export class PositionTimeoutError extends EdictError<'position_timeout'> {
  override readonly name = 'PositionTimeoutError'
  readonly position: number
  /** The names of the handlers that have not handled every event up to the position. */
  readonly laggards: readonly string[]

  constructor(message: string, position: number, laggards: readonly string[]) {
    super('position_timeout', message)
    this.position = position
    this.laggards = laggards
  }
}

/** The command is stored; some handlers that it waited for are still behind. */
export class ConsistencyTimeoutError<Result = unknown> extends EdictError<'consistency_timeout'> {
  override readonly name = 'ConsistencyTimeoutError'
  /** The names of the handlers that have not handled the command's events. */
  readonly laggards: readonly string[]
  declare readonly executionResult: Result

  constructor(message: string, laggards: readonly string[], executionResult: Result) {
    super('consistency_timeout', message, { outcome: 'executed', executionResult })
    this.laggards = laggards
  }
}

/** Someone else wrote to the stream. */
export class VersionConflictError extends EdictError<'version_conflict'> {
  override readonly name = 'VersionConflictError'
  readonly streamId: string
  readonly expected: number | 'any' | 'none' | 'exists'
  readonly actual: number

  constructor(streamId: string, expected: number | 'any' | 'none' | 'exists', actual: number) {
    super('version_conflict', `stream ${streamId} is at version ${actual}, expected ${expected}`)
    this.streamId = streamId
    this.expected = expected
    this.actual = actual
  }
}

/** Another command has this id, or this idempotency key. */
export class DuplicateCommandError extends EdictError<'duplicate_command'> {
  override readonly name = 'DuplicateCommandError'
  readonly commandId: string

  constructor(commandId: string, streamId: string, payloadKnown = true, idempotencyKey?: string) {
    const other = payloadKnown
      ? 'with another payload'
      : 'by a command whose id nobody gave, so that its payload is not known'
    const what =
      idempotencyKey === undefined
        ? `command id ${commandId}`
        : `the idempotency key ${idempotencyKey}, of the command ${commandId},`
    super('duplicate_command', `${what} was already used in ${streamId} ${other}`)
    this.commandId = commandId
  }
}

/** A stored command that failed too often, or in a way that no attempt mends; `cause` tells of the last failure. */
export class CommandDeadError extends EdictError<'command_dead'> {
  override readonly name = 'CommandDeadError'
  readonly commandId: string
  readonly attempts: number

  constructor(commandType: string, commandId: string, attempts: number, options: EdictErrorOptions) {
    const times = attempts === 1 ? 'once' : `${attempts} times`
    super(
      'command_dead',
      `${commandType} ${commandId} was tried ${times} and is a dead letter: ${describeThrown(options.cause)}`,
      options,
    )
    this.commandId = commandId
    this.attempts = attempts
  }
}

/** The deadline of a stored command passed before it was run. */
export class CommandExpiredError extends EdictError<'command_expired'> {
  override readonly name = 'CommandExpiredError'
  readonly commandId: string

  constructor(commandType: string, commandId: string) {
    super('command_expired', `the deadline of ${commandType} ${commandId} passed before it was run`)
    this.commandId = commandId
  }
}

/** A stored command was taken back before it was run. */
export class CommandCancelledError extends EdictError<'command_cancelled'> {
  override readonly name = 'CommandCancelledError'
  readonly commandId: string

  constructor(commandType: string, commandId: string, outcome: Outcome = 'not-executed') {
    const when =
      outcome === 'unknown' ? 'after an attempt that may have taken effect: nobody knows' : 'before it was run'
    super('command_cancelled', `${commandType} ${commandId} was cancelled ${when}`, { outcome })
    this.commandId = commandId
  }
}

/** Whoever ran a stored command died while it ran, too often for it to be tried again. */
export class CommandInterruptedError extends EdictError<'command_interrupted'> {
  override readonly name = 'CommandInterruptedError'
  constructor(commandType: string, commandId: string) {
    super('command_interrupted', `whoever ran ${commandType} ${commandId} did not live to tell how it ended`, {
      outcome: 'unknown',
    })
  }
}

/** A stored command was not over in the time that somebody waited for it. It goes on. */
export class ReceiptTimeoutError extends EdictError<'receipt_timeout'> {
  override readonly name = 'ReceiptTimeoutError'
  readonly commandId: string

  constructor(commandId: string, timeout: number) {
    super('receipt_timeout', `the command ${commandId} was not over within ${timeout} ms; it goes on`, {
      outcome: 'unknown',
    })
    this.commandId = commandId
  }
}

/** No stored command has this id: it never had, or the command is over and not kept any more. */
export class UnknownCommandError extends EdictError<'unknown_command'> {
  override readonly name = 'UnknownCommandError'
  readonly commandId: string

  constructor(commandId: string) {
    super('unknown_command', `no stored command has the id ${commandId}, or it is over and not kept any more`, {
      outcome: 'unknown',
    })
    this.commandId = commandId
  }
}

/** Another aggregate has the value already that this one is to have alone. */
export class UniqueValueTakenError extends EdictError<'value_taken'> {
  override readonly name = 'UniqueValueTakenError'
  /** Within which the value has to be unique: `'User.email'`. */
  readonly scope: string

  constructor(commandType: string, scope: string) {
    super('value_taken', `${commandType} was refused: its value of ${scope} is taken`)
    this.scope = scope
  }
}

/** A repository was asked for an aggregate that has no events. */
export class AggregateNotFoundError extends EdictError<'aggregate_not_found'> {
  override readonly name = 'AggregateNotFoundError'
  /** The aggregate's name. */
  readonly aggregate: string
  readonly aggregateId: string

  constructor(aggregate: string, aggregateId: string) {
    super('aggregate_not_found', `there is no ${aggregate} ${aggregateId}: create(…) makes a new one`)
    this.aggregate = aggregate
    this.aggregateId = aggregateId
  }
}

/** A repository was to make an aggregate that is there already. */
export class AggregateExistsError extends EdictError<'aggregate_exists'> {
  override readonly name = 'AggregateExistsError'
  /** The aggregate's name. */
  readonly aggregate: string
  readonly aggregateId: string

  constructor(aggregate: string, aggregateId: string) {
    super('aggregate_exists', `there is a ${aggregate} ${aggregateId} already: get(…) loads it`)
    this.aggregate = aggregate
    this.aggregateId = aggregateId
  }
}

/** An aggregate was changed in a unit of work and never added to its repository: its events would have been lost. */
export class AggregateNotAddedError extends EdictError<'aggregate_not_added'> {
  override readonly name = 'AggregateNotAddedError'
  /** The ids of their streams. */
  readonly streamIds: readonly string[]

  constructor(streamIds: readonly string[]) {
    super(
      'aggregate_not_added',
      `the unit of work changed ${streamIds.join(', ')} without repository.add(…), and stored nothing: add what is to be kept`,
    )
    this.streamIds = streamIds
  }
}

/** One unit of work was to persist more than one aggregate. */
export class SeveralAggregatesError extends EdictError<'several_aggregates'> {
  override readonly name = 'SeveralAggregatesError'
  /** The ids of their streams, in the order of loading. */
  readonly streamIds: readonly string[]

  constructor(streamIds: readonly string[]) {
    super(
      'several_aggregates',
      `one unit of work persists one aggregate, and this one was to persist ${streamIds.join(' and ')}: ` +
        'let the others follow its events (an event handler, a process manager), or allow it with multipleAggregates: true',
    )
    this.streamIds = streamIds
  }
}

/** Something within the unit of work failed, so that it stored nothing, though the failure was caught; `cause` is that failure. */
export class UnitRolledBackError extends EdictError<'unit_rolled_back'> {
  override readonly name = 'UnitRolledBackError'
  constructor(cause: unknown) {
    super(
      'unit_rolled_back',
      `the unit of work stored nothing, since a unit within it was rolled back: ${describeThrown(cause)}`,
      { cause },
    )
  }
}

/** A unit of work was used before its start, after its end, or ended twice. */
export class UnitOfWorkMisuseError extends EdictError<'unit_of_work_misuse'> {
  override readonly name = 'UnitOfWorkMisuseError'
  constructor(message: string, options: EdictErrorOptions = {}) {
    super('unit_of_work_misuse', message, options)
  }
}

/** A middleware halted the pipeline; `response` is what it gave. */
export class HaltedError extends EdictError<'halted'> {
  override readonly name = 'HaltedError'
  readonly response: unknown

  constructor(message: string, response: unknown, options: EdictErrorOptions = {}) {
    super('halted', message, options)
    this.response = response
  }
}

/** A middleware did what it must not, or did it too late. */
export class MiddlewareMisuseError extends EdictError<'middleware_misuse'> {
  override readonly name = 'MiddlewareMisuseError'
  constructor(message: string, options: EdictErrorOptions = {}) {
    super('middleware_misuse', message, options)
  }
}

/** A handler changes, by a dispatch, what it has in hand itself: it would wait for itself. */
export class ReentrantDispatchError extends EdictError<'reentrant_dispatch'> {
  override readonly name = 'ReentrantDispatchError'
  constructor(message: string) {
    super('reentrant_dispatch', message)
  }
}

/** As many commands wait for this aggregate as may wait. */
export class MailboxFullError extends EdictError<'mailbox_full'> {
  override readonly name = 'MailboxFullError'
  constructor(streamId: string, limit: number) {
    super('mailbox_full', `${streamId} already has ${limit} commands waiting`)
  }
}

/** A command of a batch failed, and with it the whole batch: nothing of it is stored. `cause` is what the command failed with. */
export class BatchFailedError extends EdictError<'batch_failed'> {
  override readonly name = 'BatchFailedError'
  /** The code of what the command failed with. */
  readonly failedCode: string
  /** The type of the command. */
  readonly command: string
  readonly commandId: string
  /** The command's place in the batch, from 0, in the order in which they run: those that were given, then those that were scheduled. */
  readonly index: number
  /** Whether a command handler or a workflow scheduled it. */
  readonly isScheduled: boolean

  constructor(
    failed: {
      readonly command: string
      readonly commandId: string
      readonly index: number
      readonly isScheduled: boolean
      /** It came again, and a middleware failed around what it came to before. @default false */
      readonly tookEffect?: boolean
    },
    cause: EdictError,
  ) {
    const whose = failed.isScheduled ? ', which was scheduled,' : ''
    super('batch_failed', `command ${failed.index} of the batch, ${failed.command}${whose} failed: ${cause.message}`, {
      cause,
      // What ran was rolled back; only where the store did not say what was there before, nobody knows.
      outcome: failed.tookEffect === true ? 'executed' : cause.outcome === 'unknown' ? 'unknown' : 'not-executed',
    })
    this.failedCode = cause.code
    this.command = failed.command
    this.commandId = failed.commandId
    this.index = failed.index
    this.isScheduled = failed.isScheduled
  }
}

/** Commands and workflows of a batch have scheduled more commands than the application allows. */
export class BatchTooLargeError extends EdictError<'batch_too_large'> {
  override readonly name = 'BatchTooLargeError'
  constructor(maxCommands: number) {
    super(
      'batch_too_large',
      `a batch has more than ${maxCommands} commands, which is what the application allows: do its workflows schedule for ever?`,
    )
  }
}

/** Commands were scheduled where nobody would run them. */
export class SchedulingRefusedError extends EdictError<'scheduling_refused'> {
  override readonly name = 'SchedulingRefusedError'
  constructor(message: string) {
    super('scheduling_refused', message)
  }
}

/** The caller's signal aborted; `cause` is the signal's reason. */
export class AbortedError extends EdictError<'aborted'> {
  override readonly name = 'AbortedError'
  constructor(message: string, options: EdictErrorOptions = {}) {
    super('aborted', message, options)
  }
}

/** No running application holds the router that was to dispatch. */
export class NoApplicationError extends EdictError<'no_application'> {
  override readonly name = 'NoApplicationError'
  constructor(message: string) {
    super('no_application', message)
  }
}

/** Several running applications hold the router that was to dispatch. */
export class AmbiguousApplicationError extends EdictError<'ambiguous_application'> {
  override readonly name = 'AmbiguousApplicationError'
  constructor(message: string) {
    super('ambiguous_application', message)
  }
}

/** What was asked is not started yet, or is stopped. */
export class NotRunningError extends EdictError<'not_running'> {
  override readonly name = 'NotRunningError'
  constructor(message: string) {
    super('not_running', message)
  }
}

/** The event store failed; `cause` is what its driver threw. */
export class StoreError extends EdictError<'store_failed'> {
  override readonly name = 'StoreError'
  /** Whether it refuses what it was given, as by its size, and would do so each time. Where nobody knows, it is false. */
  readonly isRefusal: boolean

  constructor(
    message: string,
    { isRefusal = false, ...options }: EdictErrorOptions & { readonly isRefusal?: boolean } = {},
  ) {
    super('store_failed', message, options)
    this.isRefusal = isRefusal
  }
}

/** The store lacks what was asked of it; the message names the store and the capability. */
export class UnsupportedCapabilityError extends EdictError<'unsupported_capability'> {
  override readonly name = 'UnsupportedCapabilityError'
  constructor(storeName: string, capability: string) {
    super('unsupported_capability', `the ${storeName} event store has no ${capability}`)
  }
}

/** A stream of one category was asked for as another: two prefixes meet in one stream id. */
export class CategoryMismatchError extends EdictError<'category_mismatch'> {
  override readonly name = 'CategoryMismatchError'
  constructor(streamId: string, expected: string, actual: string) {
    super(
      'category_mismatch',
      `stream ${streamId} belongs to ${actual}, not to ${expected}: give each aggregate a prefix of its own`,
    )
  }
}

/** A stream of one tenant, or of none, was asked for as another's. */
export class TenantMismatchError extends EdictError<'tenant_mismatch'> {
  override readonly name = 'TenantMismatchError'
  constructor(streamId: string, expected: string | undefined, actual: string | undefined) {
    const owner = (tenant: string | undefined) => (tenant === undefined ? 'no tenant' : `the tenant ${tenant}`)
    super('tenant_mismatch', `stream ${streamId} belongs to ${owner(actual)}, not to ${owner(expected)}`)
  }
}

/** The stream takes no more events: it was archived, which can be undone, or deleted, which cannot. */
export class StreamClosedError extends EdictError<'stream_closed'> {
  override readonly name = 'StreamClosedError'
  readonly streamId: string
  readonly state: 'archived' | 'deleted'

  constructor(streamId: string, state: 'archived' | 'deleted', options: EdictErrorOptions = {}) {
    const undo = state === 'archived' ? ': restore it first' : ' for good'
    super('stream_closed', `stream ${streamId} is ${state}${undo}`, options)
    this.streamId = streamId
    this.state = state
  }
}

/** An append in the caller's own transaction gave up waiting for others; nothing of it is stored, and the transaction is to be rolled back. */
export class AppendLockTimeoutError extends EdictError<'append_lock_timeout'> {
  override readonly name = 'AppendLockTimeoutError'
  constructor(message: string, options: EdictErrorOptions = {}) {
    super('append_lock_timeout', message, options)
  }
}

/** A package that a store needs is not installed; the message says how to install it. */
export class MissingDriverError extends EdictError<'missing_driver'> {
  override readonly name = 'MissingDriverError'
  readonly packageName: string

  constructor(storeName: string, packageName: string, options: EdictErrorOptions = {}) {
    super(
      'missing_driver',
      `the ${storeName} event store needs the package ${packageName}: npm install ${packageName}`,
      options,
    )
    this.packageName = packageName
  }
}

/** The database, or its library, is of a version that cannot keep what Edict promises. */
export class UnsupportedVersionError extends EdictError<'unsupported_version'> {
  override readonly name = 'UnsupportedVersionError'
  constructor(message: string) {
    super('unsupported_version', message)
  }
}

/** The store's tables are not those that this version of Edict knows: they want a migration, or were made by a newer one. */
export class SchemaMismatchError extends EdictError<'schema_mismatch'> {
  override readonly name = 'SchemaMismatchError'
  /** The number of the last migration that the store has; 0 where it has none. */
  readonly found: number
  readonly expected: number

  constructor(storeName: string, found: number, expected: number) {
    const advice =
      found < expected ? 'run its migrate() first' : 'it was migrated by a newer version of Edict: upgrade this one'
    super('schema_mismatch', `the ${storeName} event store is at migration ${found}, not ${expected}: ${advice}`)
    this.found = found
    this.expected = expected
  }
}

/** A stored event that the aggregate or the upcasters do not know, or cannot read. */
export class UnreadableEventError extends EdictError<'unreadable_event'> {
  override readonly name = 'UnreadableEventError'
  constructor(message: string, options: EdictErrorOptions = {}) {
    super('unreadable_event', message, options)
  }
}

/** The stored state of a process manager's instance that cannot be read; it is never taken for a fresh one. */
export class UnreadableStateError extends EdictError<'unreadable_state'> {
  override readonly name = 'UnreadableStateError'
  constructor(message: string, options: EdictErrorOptions = {}) {
    super('unreadable_state', message, options)
  }
}

/** A strict interest of a process manager that did not hold: the instance to be started runs already. */
export class ProcessAlreadyStartedError extends EdictError<'process_already_started'> {
  override readonly name = 'ProcessAlreadyStartedError'
  constructor(processManager: string, instanceId: string) {
    super('process_already_started', `${processManager} ${instanceId} runs already, and was to be started`)
  }
}

/** A strict interest of a process manager that did not hold: the instance to go on does not run. */
export class ProcessNotStartedError extends EdictError<'process_not_started'> {
  override readonly name = 'ProcessNotStartedError'
  constructor(processManager: string, instanceId: string) {
    super('process_not_started', `${processManager} ${instanceId} does not run, and was to go on`)
  }
}

/** An event that a process manager did not handle within its `eventTimeout`. */
export class EventTimeoutError extends EdictError<'event_timeout'> {
  override readonly name = 'EventTimeoutError'
  /** Milliseconds that the event was given. */
  readonly timeout: number

  constructor(what: string, timeout: number) {
    super('event_timeout', `${what} ran out of its ${timeout} ms`)
    this.timeout = timeout
  }
}

/** A persistent subscription that another owner holds, or held since. */
export class SubscriptionOwnedError extends EdictError<'subscription_owned'> {
  override readonly name = 'SubscriptionOwnedError'
  constructor(subscription: string) {
    super('subscription_owned', `another owner has taken the subscription ${subscription}`)
  }
}

/** A message, aggregate, handler or application that is defined wrongly; thrown where it is defined. */
export class DefinitionError extends EdictError<'invalid_definition'> {
  override readonly name = 'DefinitionError'
  constructor(message: string, options: EdictErrorOptions = {}) {
    super('invalid_definition', message, options)
  }
}

export type RouterDefinitionCode =
  | 'duplicate_registration'
  | 'duplicate_identity'
  | 'invalid_registration'
  | 'invalid_identity_definition'
  | 'missing_identity'
  | 'conflicting_prefix'

/** A router that is defined wrongly; thrown where it is defined, before any dispatch. */
export class RouterDefinitionError extends EdictError<RouterDefinitionCode> {
  override readonly name = 'RouterDefinitionError'
  constructor(code: RouterDefinitionCode, message: string, options: EdictErrorOptions = {}) {
    super(code, message, options)
  }
}

/** The codes that belong to Edict. */
const FRAMEWORK_CODES = [
  'invalid_message',
  'unregistered_command',
  'invalid_identity',
  'invalid_option',
  'command_failed',
  'invalid_outcome',
  'command_timeout',
  'deadline_exceeded',
  'dispatch_too_deep',
  'consistency_timeout',
  'position_timeout',
  'version_conflict',
  'duplicate_command',
  'command_dead',
  'command_expired',
  'command_cancelled',
  'command_interrupted',
  'receipt_timeout',
  'unknown_command',
  'value_taken',
  'aggregate_not_found',
  'aggregate_exists',
  'aggregate_not_added',
  'several_aggregates',
  'unit_rolled_back',
  'unit_of_work_misuse',
  'batch_failed',
  'batch_too_large',
  'scheduling_refused',
  'halted',
  'middleware_misuse',
  'reentrant_dispatch',
  'mailbox_full',
  'aborted',
  'no_application',
  'ambiguous_application',
  'not_running',
  'store_failed',
  'unsupported_capability',
  'category_mismatch',
  'tenant_mismatch',
  'stream_closed',
  'append_lock_timeout',
  'missing_driver',
  'unsupported_version',
  'schema_mismatch',
  'unreadable_event',
  'subscription_owned',
  'unreadable_state',
  'process_already_started',
  'process_not_started',
  'event_timeout',
  'invalid_definition',
  'duplicate_registration',
  'duplicate_identity',
  'invalid_registration',
  'invalid_identity_definition',
  'missing_identity',
  'conflicting_prefix',
] as const

/** A code of Edict's own, which `reject` refuses, so that a code always says who spoke. */
export type FrameworkCode = (typeof FRAMEWORK_CODES)[number]

export const frameworkCodes: ReadonlySet<string> = new Set(FRAMEWORK_CODES)
