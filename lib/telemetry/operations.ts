import type { EdictError } from '../errors.ts'
import type { Metadata, RecordedEvent } from '../messages/recorded-event.ts'
import type { DispatchOutcome } from './dispatch-outcome.ts'

/** What every telemetry event of an operation has. */
export interface OperationBase {
  /** The application's name. */
  readonly application: string
  /** Unique in an application while it exists: the same when an operation starts and when it ends. */
  readonly operation: number
  /** When it started: milliseconds since 1970-01-01T00:00:00Z. */
  readonly startedAt: number
}

/** A command, and where it goes. */
export interface CommandInfo {
  /** The command's type. */
  readonly command: string
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  /** The aggregate's name. */
  readonly aggregate: string
  readonly aggregateId: string
  readonly streamId: string
  /** Whose it is; undefined where nobody's. */
  readonly tenant: string | undefined
}

export interface DispatchInfo extends CommandInfo {
  /** The command's data: it may be secret. */
  readonly data: unknown
  /** As the caller gave it; middleware may add to it. */
  readonly metadata: Metadata
}

export interface DispatchStopped {
  readonly outcome: 'executed'
  readonly aggregateVersion: number
  /** With all that middleware added. */
  readonly metadata: Metadata
  /** What middleware made of it; the stream is one of that tenant's. */
  readonly tenant: string | undefined
  readonly streamId: string
  readonly events: readonly RecordedEvent[]
}

export interface DispatchFailed {
  readonly outcome: DispatchOutcome
  readonly error: EdictError
  /** With all that middleware added. */
  readonly metadata: Metadata
  /** What middleware made of it; the stream is one of that tenant's. */
  readonly tenant: string | undefined
  readonly streamId: string
  /** Undefined unless the outcome is `'executed'`. */
  readonly aggregateVersion: number | undefined
  /** Those that are stored all the same. */
  readonly events: readonly RecordedEvent[]
}

/** A command that is to be stored, to be run now or later. */
export interface EnqueueInfo extends CommandInfo {
  /** The command's data: it may be secret. */
  readonly data: unknown
  readonly metadata: Metadata
  readonly priority: 'high' | 'normal' | 'low'
}

export interface ExecuteInfo extends CommandInfo {
  readonly metadata: Metadata
}

export interface PopulateInfo {
  /** The aggregate's name. */
  readonly aggregate: string
  readonly streamId: string
  /** The version that it starts from: that of a snapshot or of a live instance, else 0. */
  readonly fromVersion: number
}

export interface AppendInfo {
  readonly streams: readonly {
    readonly streamId: string
    readonly category: string
    readonly events: number
    readonly commandId: string | undefined
    readonly metadata: Metadata
  }[]
}

export interface ReadInfo {
  /** Undefined where all streams are read. */
  readonly streamId: string | undefined
  /** The first version of the stream that is asked for, or the first position. */
  readonly from: number | undefined
}

export interface HandleInfo {
  readonly handlerName: string
  readonly event: RecordedEvent
  /** How often this event has been given to the handler since it started, from 1. */
  readonly attempt: number
}

export interface BatchInfo {
  readonly handlerName: string
  readonly events: readonly RecordedEvent[]
  readonly attempt: number
}

export interface ProcessInfo {
  readonly processManager: string
  /** The id of the instance. */
  readonly instanceId: string
  readonly event: RecordedEvent
  readonly attempt: number
}

export interface ProjectInfo {
  readonly projection: string
  /** The generation of its tables. */
  readonly generation: number
  /** Those that are at hand; one transaction may take fewer. */
  readonly events: readonly RecordedEvent[]
}

/** How an operation ended that says no more than its error. */
export interface Failed {
  readonly error: unknown
}

/** What each operation says: when it starts, and more when it ends well (`stop`), or by an error (`exception`). */
export interface Operations {
  dispatch: { readonly start: DispatchInfo; readonly stop: DispatchStopped; readonly exception: DispatchFailed }
  enqueue: {
    readonly start: EnqueueInfo
    /** `known`: it was stored before, and is not stored again. */
    readonly stop: { readonly status: 'enqueued' | 'known' }
    readonly exception: Failed
  }
  execute: {
    readonly start: ExecuteInfo
    readonly stop: { readonly aggregateVersion: number; readonly events: number }
    readonly exception: Failed
  }
  populate: {
    readonly start: PopulateInfo
    readonly stop: { readonly version: number }
    readonly exception: Failed
  }
  append: {
    readonly start: AppendInfo
    /** What became of each stream: a conflict is no exception. */
    readonly stop: { readonly statuses: readonly string[] }
    readonly exception: Failed
  }
  read: { readonly start: ReadInfo; readonly stop: { readonly events: number }; readonly exception: Failed }
  handle: { readonly start: HandleInfo; readonly stop: object; readonly exception: Failed }
  batch: { readonly start: BatchInfo; readonly stop: object; readonly exception: Failed }
  process: { readonly start: ProcessInfo; readonly stop: object; readonly exception: Failed }
  project: {
    readonly start: ProjectInfo
    /** How many events the transaction took. */
    readonly stop: { readonly projected: number }
    readonly exception: Failed
  }
}

/** The names of what takes time, and can be traced. */
export type OperationName = keyof Operations

/** An operation that starts, as an `Instrumentation` is given it. */
export type StartedOperation = {
  readonly [Name in OperationName]: { readonly name: Name } & OperationBase & Operations[Name]['start']
}[OperationName]

/** Every operation, held against the type: one that is left out does not compile. */
const NAMES: { readonly [Name in OperationName]: Name } = {
  dispatch: 'dispatch',
  enqueue: 'enqueue',
  execute: 'execute',
  populate: 'populate',
  append: 'append',
  read: 'read',
  handle: 'handle',
  batch: 'batch',
  process: 'process',
  project: 'project',
}

export const operationNames: readonly OperationName[] = Object.values(NAMES)
