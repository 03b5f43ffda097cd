import type { Command } from 'commander'
import type { QueuedCommands } from '../queue/queued-commands.ts'
import type { CommandFilter } from '../queue/queued-commands.ts'
import type { CommandStatus } from '../routing/command-receipt.ts'
import { list, wholeNumber } from './arguments.ts'
import { usageError } from './cli-error.ts'
import type { CommonOptions } from './cli.ts'
import type { LoadedApplication } from './load-application.ts'
import { plainJson, printable } from './plain.ts'
import { fields, table } from './table.ts'

/** What chooses among stored commands, but for their state. */
export interface ChoosingOptions extends CommonOptions {
  readonly type?: readonly string[]
  readonly stream?: string
  readonly tenant?: string
  readonly correlation?: string
  readonly after?: number
  readonly limit?: number
}

export function choosing(command: Command): Command {
  return command
    .option('--type <types>', 'only of these types; with commas between, or several times', list)
    .option('--stream <id>', 'only of the aggregate with this stream')
    .option('--tenant <id>', 'only of this tenant')
    .option('--correlation <id>', 'only of this correlation')
    .option('--after <position>', 'only those behind this position', wholeNumber(0))
    .option('--limit <count>', 'at most so many', wholeNumber(1))
}

export function filterOf(options: ChoosingOptions): Omit<CommandFilter, 'states'> {
  const { type, stream, tenant, correlation, after, limit } = options
  return {
    ...(type && { types: type }),
    ...(stream !== undefined && { streamId: stream }),
    ...(tenant !== undefined && { tenant }),
    ...(correlation !== undefined && { correlationId: correlation }),
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
  }
}

/** @throws {CliError} where the store keeps no commands */
export function commandsOf({ inside: { commands, store } }: LoadedApplication): QueuedCommands {
  if (commands !== undefined) return commands
  throw usageError(`the ${store.name} event store keeps no commands`)
}

export function commandsText(commands: readonly CommandStatus[]): string {
  return table(
    ['POSITION', 'COMMAND ID', 'TYPE', 'STREAM', 'STATE', 'PRIORITY', 'ATTEMPTS', 'CHANGED AT', 'FAILURE'],
    commands.map((one) => [
      ...[one.position, one.commandId, one.type, one.streamId, one.state, one.priority, one.attempts, one.changedAt],
      one.failure && `${one.failure.code}: ${one.failure.message}`,
    ]),
  )
}

export function commandText(one: CommandStatus): string {
  const { failure } = one
  const text = fields([
    ['command id', one.commandId],
    ['position', one.position],
    ['type', one.type],
    ['data', plainJson(one.data)],
    ['state', one.state],
    ['priority', one.strict ? `${one.priority}, strict` : one.priority],
    ['attempts', one.attempts],
    ['stream', one.streamId],
    ['tenant', one.tenant],
    ['idempotency key', one.idempotencyKey],
    ['correlation id', one.correlationId],
    ['causation id', one.causationId],
    ['metadata', plainJson(one.metadata)],
    ['due at', one.dueAt],
    ['deadline', one.deadline],
    ['enqueued at', one.enqueuedAt],
    ['changed at', one.changedAt],
    ['failure', failure && `${failure.code}: ${failure.message}`],
    ...(failure?.details === undefined ? [] : ([['details', plainJson(failure.details)]] as const)),
  ])
  return failure?.stack === undefined ? text : `${text}\n${failure.stack.split('\n').map(printable).join('\n')}\n`
}
