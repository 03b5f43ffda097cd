import { InvalidOptionError } from '../errors.ts'
import { checkOptions, checkText, checkWhole, shown } from '../event-store/argument-checks.ts'
import type { AuditEntry, AuditOutcome } from './audit-entry.ts'

/** Which entries are asked for: those that fit everything that is said. */
export interface AuditQuery {
  readonly commandId?: string
  readonly correlationId?: string
  /** The name of the aggregate. */
  readonly aggregate?: string
  readonly aggregateId?: string
  /** The command's type. */
  readonly command?: string
  readonly outcome?: AuditOutcome
  readonly tenant?: string
  /** Dispatched at this moment or later. */
  readonly from?: Date
  /** Dispatched before this moment. */
  readonly to?: Date
  /** `forward`: the oldest first. @default 'backward' */
  readonly direction?: 'forward' | 'backward'
  /** At most this many. @default 100 */
  readonly limit?: number
  /** What the page before gave as `next`. */
  readonly after?: number
}

/** A query with its defaults filled in: what a store is asked. */
export interface CheckedAuditQuery extends AuditQuery {
  readonly direction: 'forward' | 'backward'
  readonly limit: number
}

/** Some of the entries that a query asks for, in its order. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[]
  /** Where the next page begins; undefined where this was the last one. */
  readonly next: number | undefined
}

/** What is compared as it is, by its name in a query and in an entry. */
export const EQUALS = [
  'commandId',
  'correlationId',
  'aggregate',
  'aggregateId',
  'command',
  'outcome',
  'tenant',
] as const

const MOST_ENTRIES = 10_000
const WHERE = 'find'

/** @throws {InvalidOptionError} `invalid_option` */
export function checkedAuditQuery(query: AuditQuery): CheckedAuditQuery {
  checkOptions(WHERE, query, [...EQUALS, 'from', 'to', 'direction', 'limit', 'after'])
  for (const key of EQUALS) if (query[key] !== undefined) checkText(WHERE, key, query[key])
  const { direction = 'backward', limit = 100, after, from, to } = query
  // What JavaScript may give is more than the type says.
  const given: unknown = direction
  if (given !== 'forward' && given !== 'backward') {
    throw new InvalidOptionError(`${WHERE}: direction must be 'forward' or 'backward', not ${shown(direction)}`)
  }
  checkWhole(WHERE, 'limit', limit, 1)
  if (limit > MOST_ENTRIES) throw new InvalidOptionError(`${WHERE}: limit must be at most ${MOST_ENTRIES}`)
  if (after !== undefined) checkWhole(WHERE, 'after', after, 0)
  checkMoment('from', from)
  checkMoment('to', to)
  return { ...query, direction, limit }
}

function checkMoment(option: string, moment: Date | undefined): void {
  if (moment === undefined || (moment instanceof Date && !Number.isNaN(moment.getTime()))) return
  throw new InvalidOptionError(`${WHERE}: ${option} must be a Date`)
}

/** Whether an entry is one that a query asks for; its place is looked at elsewhere. */
export function fits(entry: AuditEntry, query: CheckedAuditQuery): boolean {
  const { from, to } = query
  if (from !== undefined && entry.dispatchedAt < from) return false
  if (to !== undefined && entry.dispatchedAt >= to) return false
  return EQUALS.every((key) => query[key] === undefined || query[key] === entry[key])
}
