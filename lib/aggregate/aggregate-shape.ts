import type { CommandDefinition, EventDefinition } from '../messages/message.ts'
import type { CodesIn } from './outcome-type.ts'

/**
 * What an aggregate's type keeps of its definition: just the type of the object that `aggregate` was given. The compiler passes
 * over such a type in one step, however much is in it, where it would walk through a list of its parts at every use.
 */
export interface AggregateShape {
  readonly commands: unknown
  readonly events: unknown
  readonly initialState: unknown
  readonly execute: unknown
  readonly apply: unknown
}

export type StateOf<Shape extends AggregateShape> = Shape['initialState'] extends () => infer State ? State : unknown
/** The union of an aggregate's command definitions. */
export type CommandOf<Shape extends AggregateShape> = Shape['commands'] extends readonly (infer One extends
  CommandDefinition)[]
  ? One
  : CommandDefinition
/** The union of an aggregate's event definitions. */
export type EventOf<Shape extends AggregateShape> = Shape['events'] extends readonly (infer One extends
  EventDefinition)[]
  ? One
  : EventDefinition

/** The rejection codes of `execute` for one command type. */
export type CodesOf<Shape extends AggregateShape, Type> = Shape['execute'] extends (...args: never) => infer Out
  ? CodesIn<Out>
  : Type extends keyof Shape['execute']
    ? Shape['execute'][Type] extends (...args: never) => infer Out
      ? CodesIn<Out>
      : never
    : never
