import type { EventDefinition } from './message.ts'

/** JSON values that travel with a command's events: who, from where, why. Keys that begin with `edict.` are reserved. */
export type Metadata = Readonly<Record<string, unknown>>

/** An event as it was stored, as handlers, callers and readers see it. What it holds is frozen. */
export interface RecordedEvent<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly data: Readonly<Data>
  /** Derived from command id, stream and index, so that a retry makes the same. */
  readonly eventId: string
  readonly streamId: string
  /** The name of the aggregate whose stream this is. */
  readonly category: string
  /** The place in its stream, from 1, without gaps. */
  readonly streamVersion: number
  /** The place among all events of the store, from 1, without gaps, in the order of commits. */
  readonly position: number
  /** The place among the events that upcasting made of one stored event, from 0. */
  readonly index: number
  readonly schemaVersion: number
  readonly contentType: string
  readonly metadata: Metadata
  readonly commandId: string
  readonly causationId: string
  readonly correlationId: string
  readonly tenant?: string
  readonly createdAt: Date
}

/** The events of definitions, as they are read back. */
export type RecordedOf<Definition> =
  Definition extends EventDefinition<infer Type, infer Data> ? RecordedEvent<Type, Data> : never
