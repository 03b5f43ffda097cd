import type { Event } from '../messages/message.ts'
import type { Rejection } from './rejection.ts'

// What `execute` and command handlers may give. Lists of steps and replies carry what they hold in their types, so that a
// foreign event is seen, and every rejection code is known, however deep it stands.

declare const carried: unique symbol
declare const stepName: unique symbol
declare const replied: unique symbol

/** Holds outcomes of the type `Out`. The key exists in types only. */
export interface Carrier<out Out> {
  readonly [carried]: Out
}

/** Stands among the outcomes of a multi for a step that has a name. Exists in types only. */
export interface NamedStep<out Name extends string> {
  readonly [stepName]: Name
}

/** The states that named steps left, by name. */
export type Steps<State, Out> = {
  readonly [Name in Out extends NamedStep<infer Named> ? Named : never]: State
}

/** Steps that each see the state that the earlier ones left; all of them take effect, or none. */
export interface Multi<out State, out Out = never> extends Carrier<Out> {
  /**
   * Adds a step, which gives an event, a list of events, nothing, a rejection or another multi.
   *
   * @example
   * multi(account)
   *   .execute(() => MoneyWithdrawn({ accountNumber, amount }))
   *   .execute((after) => (after.balance < 0 ? reject('insufficient_funds') : undefined))
   */
  execute<Given>(step: (state: State, steps: Steps<State, Out>) => Given): Multi<State, Out | Given>
  /**
   * Adds a step with a name: later steps find the state after it under that name.
   *
   * @example
   * multi(account)
   *   .execute('withdrawn', () => MoneyWithdrawn({ accountNumber, amount }))
   *   .execute((_now, { withdrawn }) => (withdrawn.balance < 0 ? reject('insufficient_funds') : undefined))
   */
  execute<const Name extends string, Given>(
    name: Name,
    step: (state: State, steps: Steps<State, Out>) => Given,
  ): Multi<State, Out | Given | NamedStep<Name>>
  /**
   * Adds one step for each item of a list; each sees the state that the item before it left.
   *
   * @example
   * multi(order).reduce(lines, (_order, { sku }) => LineAdded({ sku }))
   */
  reduce<Item, Given>(
    items: Iterable<Item>,
    step: (state: State, item: Item, steps: Steps<State, Out>) => Given,
  ): Multi<State, Out | Given>
  /**
   * Adds one step for each item of a list; later steps find the state after the last one under the name.
   *
   * @example
   * multi(order).reduce('added', lines, (_order, { sku }) => LineAdded({ sku }))
   */
  reduce<const Name extends string, Item, Given>(
    name: Name,
    items: Iterable<Item>,
    step: (state: State, item: Item, steps: Steps<State, Out>) => Given,
  ): Multi<State, Out | Given | NamedStep<Name>>
}

/** What a command handler gives to answer its caller with a value, beside what it stores. */
export interface Reply<out Value, out Out = undefined> extends Carrier<Out> {
  readonly [replied]: Value
}

/** What a decision may be: an event, a list of events, nothing, a rejection, or steps that give those. */
export type Outcome<Events extends Event = Event> =
  Events | readonly Events[] | Rejection | Multi<unknown, unknown> | void

/** What a command handler may give: an outcome, or a reply with an outcome. */
export type HandlerOutcome<Events extends Event = Event> = Outcome<Events> | Reply<unknown, unknown>

/** All rejection codes in an outcome, at any depth; `string` where the compiler cannot know. */
export type CodesIn<Out> = 0 extends 1 & Out
  ? string
  : Out extends Rejection<infer Code>
    ? Code
    : Out extends Carrier<infer Inner>
      ? CodesIn<Inner>
      : never

/** The value that a caller finds in `reply`: `unknown` where no handler replies, as a middleware may respond. */
export type ReplyIn<Out> = 0 extends 1 & Out
  ? unknown
  : Extract<Out, Reply<unknown, unknown>> extends never
    ? unknown
    : ReplyValue<Out>

type ReplyValue<Out> = Out extends Reply<infer Value, unknown> ? Value : Out extends Rejection ? never : undefined
