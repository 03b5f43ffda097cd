import type { Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape } from '../aggregate/aggregate-shape.ts'
import type { EdictTypeError, constraint } from '../aggregate/type-error.ts'
import type { CommandDefinition } from '../messages/message.ts'

declare const table: unique symbol

/** Command handlers that load and persist aggregates in a unit of work; made by `commandHandler`. A router dispatches to it. */
export interface CommandHandler<
  out Name extends string = string,
  out Shape extends AggregateShape = AggregateShape,
  out Definition extends CommandDefinition = CommandDefinition,
  out Handle = unknown,
> {
  /** Whose identity names the stream that its commands are about. */
  readonly aggregate: Aggregate<Name, Shape>
  readonly commands: readonly Definition[]
  readonly [table]: Handle
}

/** The command definitions of a command handler. */
export type HandledBy<Handler> =
  Handler extends CommandHandler<string, AggregateShape, infer Definition> ? Definition : never

/** Its functions, by command type. */
export type HandleOf<Handler> =
  Handler extends CommandHandler<string, AggregateShape, CommandDefinition, infer Handle> ? Handle : never

/** `unknown` where a table has a function for just the commands, else what is wrong with it. */
export type HandleCheck<Handle, Definition extends CommandDefinition> = typeof constraint extends keyof Handle
  ? unknown
  : [Exclude<Definition['type'], keyof Handle>] extends [never]
    ? {
        readonly [Key in keyof Handle & string]: Key extends Definition['type']
          ? unknown
          : EdictTypeError<`${Key} is not among the commands of this command handler`>
      }
    : EdictTypeError<`the command handler has no function for ${Exclude<Definition['type'], keyof Handle>}`>
