import type { EdictError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { CommandInfo, OperationBase, Operations, OperationName } from './operations.ts'
import { operationNames } from './operations.ts'

/** Something that happened to an event that a handler, a projection or a process manager could not handle. */
export interface HandlerTrouble {
  /** The name of the handler, the projection or the process manager. */
  readonly handlerName: string
  readonly event: RecordedEvent
  readonly error: unknown
  /** How often the event has failed in a row. */
  readonly failures: number
}

/** What happens at one moment, and has no duration. */
export interface Moments {
  /** A dispatch that never became one: nothing ran, and no `dispatch:start` came. */
  'dispatch:refuse': {
    /** Its type, as far as it has one. */
    readonly command: string
    readonly commandId: string | undefined
    readonly correlationId: string | undefined
    readonly causationId: string | undefined
    readonly error: EdictError
  }
  /** Somebody else wrote to the stream first. `retried`: the command is decided again. */
  'dispatch:conflict': CommandInfo & {
    readonly expected: number | 'any' | 'none' | 'exists'
    readonly actual: number
    readonly retried: boolean
  }
  /** A worker has come to an end with a stored command, and that is stored. */
  'command:settle': {
    /** Its type. */
    readonly command: string
    readonly commandId: string
    readonly correlationId: string
    readonly causationId: string
    readonly streamId: string
    readonly tenant: string | undefined
    readonly priority: 'high' | 'normal' | 'low'
    /** `delayed`: it is tried again, after `delay` milliseconds. */
    readonly state: 'completed' | 'rejected' | 'dead' | 'expired' | 'delayed'
    /** How often it has failed. */
    readonly attempts: number
    readonly error: EdictError | undefined
    /** Milliseconds from when it was stored to now: by two clocks, that of the store and this node's. */
    readonly waited: number
    /** Milliseconds of this attempt, by a clock that nobody puts forward or back. */
    readonly duration: number
    readonly delay: number | undefined
  }
  /** An event is tried again after so many milliseconds. */
  'handler:retry': HandlerTrouble & { readonly delay: number }
  'handler:skip': HandlerTrouble
  /** An event is set aside. One that follows another one of its key has failed at nothing itself: its error is undefined. */
  'handler:park': HandlerTrouble
  /** The handler stops by an error; the event is undefined where it was none that it failed at. */
  'handler:stop': Omit<HandlerTrouble, 'failures' | 'event'> & { readonly event: RecordedEvent | undefined }
}

export type MomentName = keyof Moments

interface Timed {
  /** Milliseconds, by a clock that nobody puts forward or back. */
  readonly duration: number
}

type Starts = { readonly [Name in OperationName as `${Name}:start`]: OperationBase & Operations[Name]['start'] }
type Stops = {
  readonly [Name in OperationName as `${Name}:stop`]: OperationBase &
    Operations[Name]['start'] &
    Operations[Name]['stop'] &
    Timed
}
type Exceptions = {
  readonly [Name in OperationName as `${Name}:exception`]: OperationBase &
    Operations[Name]['start'] &
    Operations[Name]['exception'] &
    Timed
}
type MomentEvents = {
  readonly [Name in MomentName]: Moments[Name] & {
    /** The application's name. */
    readonly application: string
    /** Milliseconds since 1970-01-01T00:00:00Z. */
    readonly at: number
  }
}

/** Every telemetry event by its name, with what a listener is given. */
export type TelemetryEvents = Starts & Stops & Exceptions & MomentEvents

/** The names under which `application.on` listens. */
export type TelemetryName = keyof TelemetryEvents

/** Held against the type: one that is left out does not compile. */
const MOMENTS: { readonly [Name in MomentName]: Name } = {
  'dispatch:refuse': 'dispatch:refuse',
  'dispatch:conflict': 'dispatch:conflict',
  'command:settle': 'command:settle',
  'handler:retry': 'handler:retry',
  'handler:skip': 'handler:skip',
  'handler:park': 'handler:park',
  'handler:stop': 'handler:stop',
}

/** The names of all telemetry events. */
export const telemetryNames: readonly TelemetryName[] = [
  ...operationNames.flatMap((name) => [`${name}:start`, `${name}:stop`, `${name}:exception`] as const),
  ...Object.values(MOMENTS),
]
