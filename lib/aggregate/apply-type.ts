import type { DataOf, EventDefinition, MessageOf } from '../messages/message.ts'
import type { Draft } from './draft.ts'
import type { Constraint, EdictTypeError, Unless, constraint } from './type-error.ts'

export interface ApplyFunction<State, Event> extends Constraint {
  (state: Readonly<State>, event: MessageOf<Event>): State
}

export type ApplyTable<State, Event extends EventDefinition> = {
  readonly [One in Event as One['type']]: (
    draft: Draft<State>,
    data: Readonly<DataOf<One>>,
  ) => State | Draft<State> | void
} & Constraint

/** `unknown` where `apply` is right, else what is wrong with it. */
export type ApplyCheck<Apply, Name extends string, Type extends string> = typeof constraint extends keyof Apply
  ? unknown
  : Apply extends (...args: never) => unknown
    ? FunctionCheck<Apply, `apply of ${Name}`>
    : {
        readonly [Key in keyof Apply & string]: Key extends Type
          ? FunctionCheck<Apply[Key], `apply of ${Key}`>
          : EdictTypeError<`${Key} is not among the events of ${Name}`>
      }

// A state that is an object of any kind would let a promise through.
type FunctionCheck<Apply, Who extends string> = Apply extends (...args: never) => undefined | void
  ? unknown
  : Apply extends (...args: never) => infer Out
    ? Unless<PromiseProblem<Who, Out>>
    : EdictTypeError<`${Who} must be a function`>

type PromiseProblem<Who extends string, Out> = 0 extends 1 & Out
  ? never
  : Out extends PromiseLike<unknown>
    ? `${Who} gives a promise: apply is synchronous`
    : never
