import type { AggregateShape, CommandOf } from '../aggregate/aggregate-shape.ts'
import type { EdictTypeError, Unless } from '../aggregate/type-error.ts'
import type { CommandDefinition, DataOf } from '../messages/message.ts'

/** What may find the identity in a command's data: one of its keys, or a function of it. */
export type IdentityBy<Definition extends CommandDefinition> =
  (string & {}) | DataKey<Definition> | ((data: Readonly<DataOf<Definition>>) => unknown)

/** The keys that the compiler proposes. */
type DataKey<Definition extends CommandDefinition> = keyof DataOf<Definition> & string

/** Why a key or a function cannot identify the aggregate of a command; never where it can. */
export type IdentityProblem<Definition extends CommandDefinition, By> = Definition extends unknown
  ? By extends (data: never) => infer Given
    ? By extends (data: Readonly<DataOf<Definition>>) => unknown
      ? ValueProblem<`what identifies the aggregate of ${Definition['type']}`, Given>
      : `the function that identifies its aggregate does not take the data of ${Definition['type']}`
    : By extends keyof DataOf<Definition>
      ? ValueProblem<`"${By & string}" of ${Definition['type']}`, DataOf<Definition>[By]>
      : `${Definition['type']} has no "${By & string}" to identify its aggregate by`
  : never

type ValueProblem<Who extends string, Value> = [NoIdentity<Value>] extends [never]
  ? never
  : `${Who} cannot be an identity: that is a string, a number, a bigint or an object with its own toString, and never optional`

/** True where a part of the type is no identity. */
type NoIdentity<Value> = 0 extends 1 & Value
  ? never
  : unknown extends Value
    ? true
    : Value extends string | number | bigint
      ? never
      : Value extends Date | readonly unknown[] | ArrayBufferView | ((...args: never) => unknown)
        ? true
        : Value extends object
          ? 'toString' extends keyof Value
            ? never
            : true
          : true

/** `unknown` where a registration's own identity is right, else what is wrong with it. */
export type IdentityCheck<Definition extends CommandDefinition, Identity> = [IdentityBy<Definition>] extends [Identity]
  ? unknown
  : Unless<IdentityProblem<Definition, Identity>>

/** Lets an aggregate through that is not identified yet. */
export type IdentifiedOnce<Name extends string, Identities> = Name extends keyof Identities
  ? EdictTypeError<`${Name} is identified already in this router`>
  : unknown

/** `unknown` where `by` can identify an aggregate, as far as its own commands tell, else what is wrong with it. */
export type ByCheck<Name extends string, Shape extends AggregateShape, By> = [IdentityBy<CommandOf<Shape>>] extends [By]
  ? unknown
  : By extends (...args: never) => unknown
    ? Unless<IdentityProblem<CommandOf<Shape>, By>>
    : [CommandOf<Shape>] extends [never]
      ? unknown
      : By extends AnyKey<DataOf<CommandOf<Shape>>>
        ? unknown
        : EdictTypeError<`no command of ${Name} has "${By & string}" to identify it by`>

type AnyKey<Data> = Data extends unknown ? keyof Data : never
