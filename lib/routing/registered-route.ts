import type { Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape, CodesOf, CommandOf, EventOf, StateOf } from '../aggregate/aggregate-shape.ts'
import type { CodesIn, ReplyIn } from '../aggregate/outcome-type.ts'
import type { Rejection } from '../aggregate/rejection.ts'
import type { EdictTypeError, constraint } from '../aggregate/type-error.ts'
import type {
  AggregateExistsError,
  AggregateNotFoundError,
  CommandRejectedError,
  CommandTimeoutError,
  ConsistencyTimeoutError,
  UniqueValueTakenError,
  DeadlineExceededError,
  VersionConflictError,
} from '../errors.ts'
import type { Command, CommandDefinition, DataOf } from '../messages/message.ts'
import type { RecordedEvent, RecordedOf } from '../messages/recorded-event.ts'
import type { CommandHandler, HandleOf } from './command-handler-type.ts'
import type { ExecutionResult } from './execution-result.ts'

// What the compiler knows of registered commands. A router of hundreds passes all of it on at every step, so an entry is small,
// and everything else is worked out when it is asked for.

// A command that its aggregate executes is the aggregate's shape and nothing else.

/** A command that its aggregate executes, after the `beforeExecute` whose type is `Before`. */
export interface AggregateRoute<out Shape extends AggregateShape, out Before> {
  readonly aggregate: Shape
  readonly before: Before
}

/** A command that a command handler executes. */
export interface HandlerRoute<out Definition, out Shape extends AggregateShape, out To, out Before> {
  readonly definition: Definition
  readonly handled: Shape
  readonly to: To
  readonly before: Before
}

/** A command that a `commandHandler(…)` executes, in a unit of work. */
export interface UnitRoute<out Definition, out Shape extends AggregateShape, out Handle, out Before> {
  readonly definition: Definition
  readonly loading: Shape
  readonly handle: Handle
  readonly before: Before
}

/** What one call of `dispatch` adds to a router: a map by command type, for looking up is cheap in a map. */
export type RouteMap<Type extends string, Route> = { readonly [Registered in Type]: Route }

export type RouteFor<Definition extends CommandDefinition, Shape extends AggregateShape, To, Before> = [To] extends [
  Aggregate,
]
  ? [Before] extends [never]
    ? Shape
    : AggregateRoute<Shape, Before>
  : [To] extends [CommandHandler]
    ? UnitRoute<Definition, Shape, HandleOf<To>, Before>
    : HandlerRoute<Definition, Shape, To, Before>

/** `never` where an option was not given, and is inferred as its constraint. */
export type Given<Option> = typeof constraint extends keyof Option ? never : Option

export type RouteOf<Routes, Type> = Type extends keyof Routes ? Routes[Type] : never

type ShapeOf<Route> = Route extends AggregateShape
  ? Route
  : Route extends AggregateRoute<infer Shape, unknown>
    ? Shape
    : Route extends HandlerRoute<unknown, infer Shape, unknown, unknown>
      ? Shape
      : Route extends UnitRoute<unknown, infer Shape, unknown, unknown>
        ? Shape
        : never

type DefinitionOf<Route, Type> = Extract<
  Route extends HandlerRoute<infer Definition, AggregateShape, unknown, unknown>
    ? Definition
    : Route extends UnitRoute<infer Definition, AggregateShape, unknown, unknown>
      ? Definition
      : CommandOf<ShapeOf<Route>>,
  { readonly type: Type }
>

/** The command of a type as a router's `dispatch` takes it, or the sentence that refuses it. */
export type CommandFor<Route, Type extends string> = [Route] extends [never]
  ? EdictTypeError<UnknownCommand<Type>>
  : Command<Type, DataOf<DefinitionOf<Route, Type>>>

/** Of a definition that nobody has called, no type is known. */
type UnknownCommand<Type extends string> = string extends Type
  ? 'that is no command of this router: a command is made by calling its definition'
  : `${Type} is not registered in this router`

/** Every command of a router. */
export type CommandIn<Routes> = {
  [Type in keyof Routes & string]: Command<Type, DataOf<DefinitionOf<Routes[Type], Type>>>
}[keyof Routes & string]

/** What the dispatch of a command gives. */
export type DispatchResult<Routes, Type> = ResultOf<RouteOf<Routes, Type>, Type>

/** What a dispatch of a command gives, as its route is registered. */
export type ResultOf<Route, Type> = ExecutionResult<
  StateOf<ShapeOf<Route>>,
  // A unit of work may store events of any aggregate.
  Route extends UnitRoute<unknown, AggregateShape, unknown, unknown>
    ? RecordedEvent
    : RecordedOf<EventOf<ShapeOf<Route>>>,
  Route extends UnitRoute<unknown, AggregateShape, infer Handle, unknown>
    ? Exclude<HandlerOut<Handle, Type>, Rejection>
    : Route extends HandlerRoute<unknown, AggregateShape, infer To, unknown>
      ? ReplyIn<HandlerOut<To, Type>>
      : unknown
>

/**
 * What `tryDispatch` gives for a command that did not succeed as expected: discriminated by `code`. Only one that was given a deadline can
 * come too late for it.
 */
export type DispatchFailure<Routes, Type, Deadline = Date | number> =
  | Rejected<CodesFor<RouteOf<Routes, Type>, Type>>
  | CommandTimeoutError
  | ([Deadline] extends [undefined] ? never : DeadlineExceededError)
  | ConsistencyTimeoutError<DispatchResult<Routes, Type>>
  | VersionConflictError
  | (ShapeOf<RouteOf<Routes, Type>> extends { readonly unique: unknown } ? UniqueValueTakenError : never)
  | (RouteOf<Routes, Type> extends UnitRoute<unknown, AggregateShape, unknown, unknown>
      ? AggregateNotFoundError | AggregateExistsError | UniqueValueTakenError
      : never)

type Rejected<Code extends string> = [Code] extends [never] ? never : CommandRejectedError<Code>

type CodesFor<Route, Type> = Route extends AggregateShape
  ? CodesOf<Route, Type>
  : Route extends AggregateRoute<infer Shape, infer Before>
    ? CodesOf<Shape, Type> | CodesIn<AwaitedResult<Before>>
    : Route extends HandlerRoute<unknown, AggregateShape, infer To, infer Before>
      ? CodesIn<HandlerOut<To, Type>> | CodesIn<AwaitedResult<Before>>
      : Route extends UnitRoute<unknown, infer Shape, infer Handle, infer Before>
        ? CodesIn<HandlerOut<Handle, Type>> | CodesOf<Shape, keyof Shape['execute']> | CodesIn<AwaitedResult<Before>>
        : never

type HandlerOut<To, Type> = To extends (...args: never) => unknown
  ? AwaitedResult<To>
  : Type extends keyof To
    ? AwaitedResult<To[Type]>
    : never

type AwaitedResult<Fn> = Fn extends (...args: never) => infer Out ? Awaited<Out> : never
