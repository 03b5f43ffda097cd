import type { CommandHandlerBody } from '../routing/command-handler-body.ts'
import type { Execution } from './execution.ts'

/** Makes the execution of a command in a unit of work; takes what an `Execution` is made of. */
export type MakeExecution = (...of: ConstructorParameters<typeof Execution>) => Execution

const makers = new WeakMap<CommandHandlerBody, MakeExecution>()

export function keepExecutions(handler: CommandHandlerBody, make: MakeExecution): void {
  makers.set(handler, make)
}

/** How commands of a handler are executed; undefined where nobody brought it. */
export function executionsOf(handler: CommandHandlerBody | undefined): MakeExecution | undefined {
  return handler && makers.get(handler)
}
