import { jsonText, valueOfJsonText } from '../messages/json-serializer.ts'
import type { AuditEntry } from './audit-entry.ts'
import { EQUALS, type AuditPage, type CheckedAuditQuery } from './audit-query.ts'

// What the stores that speak SQL have in common. An entry is one row: what is asked for in columns, and all of it in one of them.

/** The columns beside `seq`, in the order of `rowOf`. */
export const COLUMNS = [
  'entry_id',
  'command_id',
  'correlation_id',
  'aggregate',
  'aggregate_id',
  'command',
  'outcome',
  'tenant',
  'dispatched_at',
  'entry',
] as const

const COLUMN_OF = {
  commandId: 'command_id',
  correlationId: 'correlation_id',
  aggregate: 'aggregate',
  aggregateId: 'aggregate_id',
  command: 'command',
  outcome: 'outcome',
  tenant: 'tenant',
} as const

export type AuditValue = string | number | null

export function rowOf(entry: AuditEntry): AuditValue[] {
  const columns = EQUALS.map((key) => entry[key] ?? null)
  return [entry.entryId, ...columns, entry.dispatchedAt.getTime(), jsonText(entry)]
}

export function entryOf(text: string): AuditEntry {
  // It is what `rowOf` wrote.
  return Object.freeze(valueOfJsonText(text) as AuditEntry)
}

/** The end of a SELECT: one row more than was asked for, which tells whether there is another page. `place` writes the n-th parameter. */
export function auditConditions(
  query: CheckedAuditQuery,
  place: (index: number) => string,
): { readonly sql: string; readonly values: AuditValue[] } {
  const values: AuditValue[] = []
  const conditions: string[] = []
  const add = (condition: string, value: AuditValue): void => {
    values.push(value)
    conditions.push(`${condition} ${place(values.length)}`)
  }
  for (const key of EQUALS) {
    const value = query[key]
    if (value !== undefined) add(`${COLUMN_OF[key]} =`, value)
  }
  if (query.from !== undefined) add('dispatched_at >=', query.from.getTime())
  if (query.to !== undefined) add('dispatched_at <', query.to.getTime())
  const forward = query.direction === 'forward'
  if (query.after !== undefined) add(forward ? 'seq >' : 'seq <', query.after)
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')} `
  return { sql: `${where}ORDER BY seq ${forward ? 'ASC' : 'DESC'} LIMIT ${query.limit + 1}`, values }
}

/** A page of the rows that `auditConditions` asked for. */
export function auditPage(
  rows: readonly { readonly seq: number; readonly entry: string }[],
  { limit }: CheckedAuditQuery,
): AuditPage {
  const wanted = rows.slice(0, limit)
  return {
    entries: wanted.map(({ entry }) => entryOf(entry)),
    next: rows.length > limit ? wanted.at(-1)?.seq : undefined,
  }
}
