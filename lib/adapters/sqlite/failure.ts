import { describeThrown, EdictError, StoreError, type Outcome } from '../../errors.ts'
import { isTooMuch } from '../../event-store/store-door.ts'

// What the driver throws is looked at by its members: of several realms in one process, only the first has its classes.

function textOf(thrown: unknown, key: 'code' | 'message'): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined
  const text = (thrown as Readonly<Record<string, unknown>>)[key]
  return typeof text === 'string' ? text : undefined
}

/** Whether SQLite failed for this reason, whatever it says of it in detail: `SQLITE_BUSY` for `SQLITE_BUSY_RECOVERY`, too. */
export function hasFailedBy(thrown: unknown, reason: `SQLITE_${string}`): boolean {
  return textOf(thrown, 'code')?.startsWith(reason) === true
}

/** Whether another connection is in the way, so that a later try may go through. */
export function isBusy(thrown: unknown): boolean {
  return hasFailedBy(thrown, 'SQLITE_BUSY')
}

/** Whether SQLite refuses what was asked of it: it would do so again, whatever the state of the file. */
export function isStatementAtFault(thrown: unknown): boolean {
  return /^SQLITE_(?:ERROR|CONSTRAINT|MISMATCH|RANGE|TOOBIG|AUTH)/.test(textOf(thrown, 'code') ?? '')
}

/** Whether a value was refused, as by its size. */
function isRefusedValue(thrown: unknown): boolean {
  return /^SQLITE_(?:CONSTRAINT|MISMATCH|RANGE|TOOBIG)/.test(textOf(thrown, 'code') ?? '')
}

/** What went wrong with a file, as an error of the catalogue. One that is there already stays as it is. */
export function storeFailure(path: string, thrown: unknown, outcome: Outcome = 'not-executed'): EdictError {
  if (thrown instanceof EdictError) return thrown
  const text = textOf(thrown, 'message') ?? describeThrown(thrown)
  return new StoreError(`the sqlite event store ${path}: ${text}${adviceFor(textOf(thrown, 'code'))}`, {
    cause: thrown,
    outcome,
    isRefusal: isRefusedValue(thrown) || isTooMuch(thrown),
  })
}

const ADVICE: Readonly<Record<string, string>> = {
  SQLITE_BUSY: 'another process held the file for longer than busyTimeout',
  SQLITE_FULL: 'make room; what was acknowledged is safe',
  SQLITE_READONLY: 'the file and its directory must be writable, or open it with readOnly',
  SQLITE_CANTOPEN: 'the file and its directory must be there, and be open to this process',
  SQLITE_NOTADB: 'this is not a SQLite file; give the store a file of its own',
  ERR_DLOPEN_FAILED: 'better-sqlite3 was built for another Node: npm rebuild better-sqlite3',
  SQLITE_CORRUPT: 'the file is damaged; restore a backup',
}

function adviceFor(code = ''): string {
  const reason = Object.keys(ADVICE).find((each) => code.startsWith(each))
  if (reason !== undefined) return ` (${code}): ${ADVICE[reason]}`
  return code === '' ? '' : ` (${code})`
}
