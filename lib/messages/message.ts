import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Result } from '../effects/result.ts'
import type { ValidationError } from '../errors.ts'

export type MessageKind = 'command' | 'event'

/** Exists in types only, so that a plain object which merely looks like a message does not compile. */
declare const madeByItsDefinition: unique symbol

/** A command or an event: a type and its data, checked once, frozen, and detached from the source. */
export interface Message<Kind extends MessageKind = MessageKind, Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly data: Readonly<Data>
  readonly [madeByItsDefinition]: Kind
}

/** A command that its definition made. */
export type Command<Type extends string = string, Data = unknown> = Message<'command', Type, Data>
/** An event that its definition made. */
export type Event<Type extends string = string, Data = unknown> = Message<'event', Type, Data>

/** A function that makes messages of one type, and knows them. `Input` is what the schema takes, `Data` what it gives. */
export interface MessageDefinition<Kind extends MessageKind, Type extends string, Data, Input> {
  (data: Input): Message<Kind, Type, Data>
  readonly kind: Kind
  readonly type: Type
  readonly schema: StandardSchemaV1
  /** The version of the shape that is written today; stored with each event. */
  readonly schemaVersion: number
  /** Whether a value is a message that this definition made. */
  is(message: unknown): message is Message<Kind, Type, Data>
  /** As the call, with a result instead of a throw; takes untrusted input. */
  safe(data: unknown): Result<Message<Kind, Type, Data>, ValidationError>
}

/** What `command(…)` gives: a function that makes commands of one type. */
export type CommandDefinition<Type extends string = string, Data = unknown, Input = never> = MessageDefinition<
  'command',
  Type,
  Data,
  Input
>
/** What `event(…)` gives: a function that makes events of one type. */
export type EventDefinition<Type extends string = string, Data = unknown, Input = never> = MessageDefinition<
  'event',
  Type,
  Data,
  Input
>

/** The data of the messages that a definition makes. */
export type DataOf<Definition> =
  Definition extends MessageDefinition<MessageKind, string, infer Data, never> ? Data : never
/** The messages that a definition makes. */
export type MessageOf<Definition> =
  Definition extends MessageDefinition<infer Kind, infer Type, infer Data, never> ? Message<Kind, Type, Data> : never
/** The definitions of one type, out of a list. */
export type DefinitionOf<Definitions extends readonly { readonly type: string }[], Type> = Extract<
  Definitions[number],
  { readonly type: Type }
>
