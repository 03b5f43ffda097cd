import type { NewQueuedCommand, Settlement } from '../../event-store/command-queue-store.ts'
import { booleanArray, bytesArray, numberArray, optionalNumberArray, textArray } from './array-literal.ts'
import type { Parameter } from './database.ts'
import { dataColumns } from './stored-data.ts'

const placeholders = (count: number) => Array.from({ length: count }, (_, index) => `$${index + 1}`).join(', ')

const ENQUEUED = `FROM "edict".enqueue_commands(${placeholders(22)}, NULL)`
export const ENQUEUE_SQL = `SELECT to_json(positions), to_json(statuses) ${ENQUEUED}`
/** For commands of which some have deadlines. */
export const ENQUEUE_EXPIRING_SQL = `SELECT
  to_json(positions), to_json(statuses), "edict".set_expiries(positions, statuses, (
    SELECT array_agg(c.command_id) FROM "edict".commands c JOIN "edict".command_outcomes o ON o.position = c.position
    WHERE c.command_id = ANY ($1) AND o.state IN ('dead', 'discarded')
  )) ${ENQUEUED}`

/** Commands as the function that stores them takes them. */
export function enqueueParameters(commands: readonly NewQueuedCommand[]): Parameter[] {
  const data = commands.map((command) => dataColumns(command.data))
  const texts = (of: (command: NewQueuedCommand) => string | undefined) =>
    textArray(commands.map((command) => of(command) ?? null))
  const numbers = (of: (command: NewQueuedCommand) => number | undefined) => optionalNumberArray(commands.map(of))
  return [
    texts(({ commandId }) => commandId),
    texts(({ type }) => type),
    texts(({ contentType }) => contentType),
    numberArray(data.map(({ format }) => format)),
    textArray(data.map(({ text }) => text)),
    data.some(({ bytes }) => bytes !== null) ? bytesArray(data.map(({ bytes }) => bytes)) : null,
    texts(({ metadata }) => JSON.stringify(metadata)),
    texts(({ options }) => JSON.stringify(options)),
    texts(({ correlationId, commandId }) => (correlationId === commandId ? undefined : correlationId)),
    texts(({ causationId, commandId }) => (causationId === commandId ? undefined : causationId)),
    texts(({ tenant }) => tenant),
    texts(({ streamId }) => streamId),
    numbers(({ lane }) => lane),
    booleanArray(commands.map(({ strict }) => strict)),
    texts(({ fingerprint }) => fingerprint),
    texts(({ idempotencyKey }) => idempotencyKey),
    numbers(({ notBefore }) => notBefore),
    numbers(({ delay }) => delay),
    numbers(({ deadline }) => deadline),
    numbers(({ depth }) => depth),
    numbers(({ createdAt }) => createdAt),
    booleanArray(commands.map(({ byCaller }) => byCaller)),
  ]
}

export const SETTLE_SQL = `SELECT to_json("edict".settle_commands(${placeholders(9)}))`

/** Settlements as the function that ends commands takes them. */
export function settleParameters(settlements: readonly Settlement[]): Parameter[] {
  const texts = (of: (settlement: Settlement) => string | undefined) =>
    textArray(settlements.map((settlement) => of(settlement) ?? null))
  const numbers = (of: (settlement: Settlement) => number | undefined) => optionalNumberArray(settlements.map(of))
  return [
    texts(({ commandId }) => commandId),
    texts(({ hold }) => hold?.streamId),
    numbers(({ hold }) => hold?.lane),
    numbers(({ hold }) => hold?.epoch),
    texts(({ state }) => state),
    texts((settlement) => ('failure' in settlement ? JSON.stringify(settlement.failure) : undefined)),
    texts((settlement) => (settlement.state === 'completed' ? optionalJson(settlement.result) : undefined)),
    booleanArray(settlements.map((settlement) => 'failed' in settlement && settlement.failed)),
    numbers((settlement) => (settlement.state === 'delayed' ? settlement.delay : undefined)),
  ]
}

function optionalJson(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}
