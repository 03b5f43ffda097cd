import type { CommandDefinition, DataOf, MessageOf } from '../messages/message.ts'
import type { ExecutionContext } from './execution-context.ts'
import type { ExecuteProblem, PlainOutcome } from './outcome-check.ts'
import type { Constraint, EdictTypeError, Unless, constraint } from './type-error.ts'

export interface ExecuteFunction<State, Command> extends Constraint {
  (state: Readonly<State>, command: MessageOf<Command>, context: ExecutionContext): unknown
}

export type ExecuteTable<State, Command extends CommandDefinition> = {
  readonly [One in Command as One['type']]: (
    state: Readonly<State>,
    data: Readonly<DataOf<One>>,
    context: ExecutionContext,
  ) => unknown
} & Constraint

/** `unknown` where `execute` is right, else what is wrong with it. */
export type ExecuteCheck<
  Execute,
  Name extends string,
  Command extends CommandDefinition,
  Event,
> = typeof constraint extends keyof Execute
  ? unknown
  : Execute extends (...args: never) => unknown
    ? FunctionCheck<Execute, `execute of ${Name}`, Name, MessageOf<Event>>
    : {
        readonly [Key in keyof Execute & string]: Key extends Command['type']
          ? FunctionCheck<Execute[Key], `execute of ${Key}`, Name, MessageOf<Event>>
          : EdictTypeError<`${Key} is not among the commands of ${Name}`>
      }

// What nearly every function gives is let through in one step; only what is left over is looked into.
type FunctionCheck<Execute, Who extends string, Name extends string, Event> = Execute extends (
  ...args: never
) => PlainOutcome<Event>
  ? unknown
  : Execute extends (...args: never) => infer Out
    ? Unless<ExecuteProblem<Who, Out, Event, Name>>
    : EdictTypeError<`${Who} must be a function`>
