import type { Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape, EventOf, StateOf } from '../aggregate/aggregate-shape.ts'
import type { HandlerProblem } from '../aggregate/outcome-check.ts'
import type { Rejection } from '../aggregate/rejection.ts'
import type { Constraint, EdictTypeError, Unless, constraint } from '../aggregate/type-error.ts'
import type { CommandDefinition, DataOf, MessageOf } from '../messages/message.ts'
import type { HandlerContext } from './handler-context.ts'
import type { CommandHandler } from './command-handler-type.ts'

/** One command handler for all commands of a registration. */
export interface HandlerFunction<State, Definition> extends Constraint {
  (state: Readonly<State>, data: Readonly<DataOf<Definition>>, context: HandlerContext): unknown
}

/** A command handler for each command of a registration. */
export type HandlerTable<State, Definition extends CommandDefinition> = {
  readonly [One in Definition as One['type']]?: (
    state: Readonly<State>,
    data: Readonly<DataOf<One>>,
    context: HandlerContext,
  ) => unknown
} & Constraint

/** Where commands may go: to their aggregate, or to a command handler. */
export type Target<Name extends string, Shape extends AggregateShape, Definition extends CommandDefinition> =
  | (Aggregate<Name, Shape> & Constraint)
  | (CommandHandler<Name, Shape> & Constraint)
  | HandlerFunction<StateOf<Shape>, Definition>
  | HandlerTable<StateOf<Shape>, Definition>

/** Runs in the aggregate before the command does, and again on each retry; may refuse. */
export interface BeforeExecute<State, Definition> extends Constraint {
  (state: Readonly<State>, context: HandlerContext & { readonly command: MessageOf<Definition> }): unknown
}

/** `unknown` where a command handler is right, else what is wrong with it. */
export type TargetCheck<
  To,
  Definition extends CommandDefinition,
  Name extends string,
  Shape extends AggregateShape,
> = typeof constraint extends keyof To
  ? unknown
  : To extends Aggregate | CommandHandler
    ? unknown
    : To extends (...args: never) => infer Out
      ? Unless<HandlerProblem<`the command handler`, Awaited<Out>, MessageOf<EventOf<Shape>>, Name>>
      : [Exclude<Definition['type'], keyof To>] extends [never]
        ? {
            readonly [Key in keyof To & string]: Key extends Definition['type']
              ? To[Key] extends (...args: never) => infer Out
                ? Unless<HandlerProblem<`the command handler of ${Key}`, Awaited<Out>, MessageOf<EventOf<Shape>>, Name>>
                : EdictTypeError<`the command handler of ${Key} must be a function`>
              : EdictTypeError<`${Key} is not among the commands of this registration`>
          }
        : EdictTypeError<`the command handlers have no function for ${Exclude<Definition['type'], keyof To>}`>

/** `unknown` where `beforeExecute` is right, else what is wrong with it. */
export type BeforeCheck<Before> = typeof constraint extends keyof Before
  ? unknown
  : Before extends (...args: never) => infer Out
    ? Unless<Awaited<Out> extends Rejection | undefined | void ? never : 'beforeExecute gives nothing, or reject(…)'>
    : unknown
