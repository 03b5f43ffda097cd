import type { Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape, CommandOf } from '../aggregate/aggregate-shape.ts'
import type { Unless } from '../aggregate/type-error.ts'
import type { CommandDefinition } from '../messages/message.ts'
import type { CommandHandler, HandledBy } from './command-handler-type.ts'
import type { BeforeCheck, TargetCheck } from './handler-type.ts'
import type { IdentityCheck, IdentityProblem } from './identity-type.ts'
import type { RouteOptions } from './route.ts'

/** What one call of a builder's `dispatch` takes beside the commands. A dispatch's own options win over these. */
export interface Registration<
  Definition extends CommandDefinition,
  Name extends string,
  Shape extends AggregateShape,
  To,
  Identity,
  Before,
> extends RouteOptions {
  /** The aggregate that executes the commands, a `commandHandler(…)`, or a function, or table of such, that decides for an aggregate. */
  readonly to: (Aggregate<Name, Shape> | CommandHandler<Name, Shape> | To) & TargetCheck<To, Definition, Name, Shape>
  /** The aggregate that a command handler works for. */
  readonly aggregate?: Aggregate<Name, Shape>
  /** A key of the commands' data, or a function of it. @default what `identify` said */
  readonly identity?: Identity & IdentityCheck<Definition, Identity>
  /** Runs in the aggregate before the command does, and again on each retry; may refuse it with `reject`. */
  readonly beforeExecute?: Before & BeforeCheck<Before>
}

/** `unknown` where a list of commands may be registered, else why not. */
export type CommandsCheck<
  Definition extends CommandDefinition,
  Name extends string,
  Shape extends AggregateShape,
  To,
  Routes,
> = Unless<
  [Definition] extends [never]
    ? 'dispatch needs one command definition or more'
    : | (Definition['type'] & keyof Routes extends infer Twice extends string
          ? `${Twice} is registered already in this router`
          : never)
      | ([To] extends [Aggregate] ? Unlisted<Definition, Name, Shape> : never)
      | ([To] extends [CommandHandler] ? Unhandled<Definition, Name, HandledBy<To>> : never)
>

type Unhandled<Definition extends CommandDefinition, Name extends string, Handled> = Definition extends Handled
  ? never
  : `${Definition['type']} is not among the commands of the command handler of ${Name}`

type Unlisted<Definition extends CommandDefinition, Name extends string, Shape extends AggregateShape> =
  Definition extends CommandOf<Shape> ? never : `${Definition['type']} is not among the commands of ${Name}`

/** A registration that must say `identity`, or else `identify` must come first; the compiler's error prints the sentence. */
export interface IdentityRequired<Sentence extends string> {
  readonly identity: unknown
  readonly '~error'?: Sentence
}
/** A registration that must say `aggregate`. */
export interface AggregateRequired<Sentence extends string> {
  readonly aggregate: unknown
  readonly '~error'?: Sentence
}

/** What the options must hold beside `to`, as far as the steps before have not said it. */
export type Demands<
  Definition extends CommandDefinition,
  Name extends string,
  Shape extends AggregateShape,
  Identities,
> = [AggregateShape] extends [Shape]
  ? AggregateRequired<'to names no aggregate: a command handler needs `aggregate` beside it'>
  : Name extends keyof Identities
    ? IdentityDemand<IdentityProblem<Definition, Identities[Name]>>
    : IdentityRequired<`identify ${Name} before dispatching to it, or say identity`>

type IdentityDemand<Problem extends string> = [Problem] extends [never] ? unknown : IdentityRequired<Problem>

/** Lets a router through that has no command which is registered already. */
export type Apart<Routes, Others> = Unless<
  keyof Routes & keyof Others extends infer Twice extends string ? `${Twice} is registered in both routers` : never
>
