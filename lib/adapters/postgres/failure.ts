import { describeThrown, EdictError, StoreError, type Outcome } from '../../errors.ts'
import { isTooMuch } from '../../event-store/store-door.ts'

/** The five characters by which PostgreSQL names an error; empty for what is not its own. */
export function sqlState(thrown: unknown): string {
  const code: unknown = thrown instanceof Error ? (thrown as { readonly code?: unknown }).code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : ''
}

/**
 * Whether the connection is gone, or the server went down on it: whoever waited for an answer cannot know what became of the
 * statement. Every other error of the server's means that the statement was rolled back.
 */
export function isConnectionLost(thrown: unknown): boolean {
  const state = sqlState(thrown)
  return state === '' || state.startsWith('08') || state.startsWith('57P') || state === '40003'
}

/** Whether two transactions were in each other's way, and this one was rolled back so that it can be tried again. */
export function isTransient(thrown: unknown): boolean {
  const state = sqlState(thrown)
  return state === '40P01' || state === '40001'
}

/** Whether a value was refused, as by its size or its characters: another member of the same batch may still go through. */
export function isRefusedValue(thrown: unknown): boolean {
  return /^(?:22|23|54)/.test(sqlState(thrown))
}

/**
 * Whether the server refuses what was asked of it, and would do so again: syntax, names, rights, values, limits, or what the statement
 * raises itself. Locks, connections, disks and a server that only reads are not its fault.
 */
export function isStatementAtFault(thrown: unknown): boolean {
  return /^(?:0A|2[1-3B]|34|3D|3F|42|44|54|P0)/.test(sqlState(thrown))
}

const ADVICE: Readonly<Record<string, string>> = {
  '25006': ': the database only reads (a standby); give the store the primary',
  '25P03': ': the work in it said nothing to the server for longer than statementTimeout',
  '28P01': ': look at user and password',
  '3D000': ': create the database first',
  '3F000': ': run migrate() first',
  '42501': ': grant the role what it needs (see the rights in the reference of the PostgreSQL event store)',
  '42883': ': run migrate() first',
  '42P01': ': run migrate() first',
  '53100': ': make room on its disk; what was acknowledged is safe',
  '53300': ': lower maxConnections, or raise max_connections of the server',
  '57014': ': it took longer than statementTimeout, or was cancelled',
}

/** What went wrong, as an error of the catalogue. One that is there already stays as it is. */
export function storeFailure(operation: string, thrown: unknown, outcome: Outcome = 'not-executed'): EdictError {
  if (thrown instanceof EdictError) return thrown
  const state = sqlState(thrown)
  const detail = state === '' ? '' : ` (${state})`
  const message = `the postgres event store failed to ${operation}: ${describeThrown(thrown)}${detail}${ADVICE[state] ?? ''}`
  return new StoreError(message, { cause: thrown, outcome, isRefusal: isRefusedValue(thrown) || isTooMuch(thrown) })
}
