import type { DataOf, EventDefinition, MessageOf } from '../messages/message.ts'
import type { Draft } from './draft.ts'
import type { EdictTypeError } from './type-error.ts'

/** One pure function for all events, which takes the whole event. */
export type ApplyFunction<State, Event> = (state: Readonly<State>, event: MessageOf<Event>) => State

/** A function for each event, by its type. That none is missing is for `ApplyCheck` to say. */
export type ApplyTable<State, Event extends EventDefinition> = {
  readonly [One in Event as One['type']]?: (
    draft: Draft<State>,
    data: Readonly<DataOf<One>>,
  ) => State | Draft<State> | void
}

/** `unknown` where `apply` is right, else what is wrong with it. */
export type ApplyCheck<Apply, Name extends string, State, Type extends string> = unknown extends Apply
  ? unknown
  : Apply extends (...args: never) => unknown
    ? Apply extends (...args: never) => State
      ? PromiseCheck<Apply, `apply of ${Name}`>
      : EdictTypeError<`apply of ${Name} must return the next state`>
    : [Type] extends [keyof Apply]
      ? {
          readonly [Key in keyof Apply & string]: Key extends Type
            ? FunctionCheck<Apply[Key], `apply of ${Key}`, State>
            : EdictTypeError<`${Key} is not among the events of ${Name}`>
        }
      : EdictTypeError<`apply of ${Name} has no function for ${Exclude<Type, keyof Apply>}`>

// Most functions change the draft and give nothing: they are let through in one step.
type FunctionCheck<Apply, Who extends string, State> = Apply extends (...args: never) => undefined | void
  ? unknown
  : Apply extends (...args: never) => State | Draft<State> | undefined | void
    ? PromiseCheck<Apply, Who>
    : EdictTypeError<`${Who} must change the draft, or return the next state`>

// A state that is an object of any kind would let a promise through.
type PromiseCheck<Apply, Who extends string> = Apply extends (...args: never) => PromiseLike<unknown>
  ? EdictTypeError<`${Who} gives a promise: apply is synchronous`>
  : unknown
