import type { CommandDefinition, DataOf, MessageOf } from '../messages/message.ts'
import type { ExecutionContext } from './execution-context.ts'
import type { ExecuteProblem, PlainOutcome } from './outcome-check.ts'
import type { EdictTypeError, Unless } from './type-error.ts'

/** One function for all commands, which takes the whole message. */
export type ExecuteFunction<State, Command> = (
  state: Readonly<State>,
  command: MessageOf<Command>,
  context: ExecutionContext,
) => unknown

/** A function for each command, by its type. That none is missing is for `ExecuteCheck` to say. */
export type ExecuteTable<State, Command extends CommandDefinition> = {
  readonly [One in Command as One['type']]?: (
    state: Readonly<State>,
    data: Readonly<DataOf<One>>,
    context: ExecutionContext,
  ) => unknown
}

/** `unknown` where `execute` is right, else what is wrong with it. */
export type ExecuteCheck<
  Execute,
  Name extends string,
  Command extends CommandDefinition,
  Event,
> = unknown extends Execute
  ? unknown
  : Execute extends (...args: never) => unknown
    ? FunctionCheck<Execute, `execute of ${Name}`, Name, MessageOf<Event>>
    : [Command['type']] extends [keyof Execute]
      ? {
          readonly [Key in keyof Execute & string]: Key extends Command['type']
            ? FunctionCheck<Execute[Key], `execute of ${Key}`, Name, MessageOf<Event>>
            : EdictTypeError<`${Key} is not among the commands of ${Name}`>
        }
      : EdictTypeError<`execute of ${Name} has no function for ${Exclude<Command['type'], keyof Execute>}`>

// What nearly every function gives is let through in one step; only what is left over is looked into.
type FunctionCheck<Execute, Who extends string, Name extends string, Event> = Execute extends (
  ...args: never
) => PlainOutcome<Event>
  ? unknown
  : Execute extends (...args: never) => infer Out
    ? Unless<ExecuteProblem<Who, Out, Event, Name>>
    : EdictTypeError<`${Who} must be a function`>
