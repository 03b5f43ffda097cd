import { auditConditions, auditPage, COLUMNS, rowOf, type AuditValue } from '../../audit/audit-row.ts'
import type { AuditEntry } from '../../audit/audit-entry.ts'
import type { AuditPage, CheckedAuditQuery } from '../../audit/audit-query.ts'
import type { AuditStore } from '../../audit/audit-store.ts'
import { NotRunningError, StoreError, describeThrown, isEdictError } from '../../errors.ts'
import { checkLibrary, loadDriver, type Database } from './driver.ts'
import { checkedPath } from './options.ts'

/** In the header of every file of ours: the letters Edau. */
const APPLICATION_ID = 0x45646175
/** Milliseconds that a write waits for another process. */
const BUSY_TIMEOUT_MS = 5_000

const TABLE = `
  CREATE TABLE audit_entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    entry_id TEXT NOT NULL UNIQUE,
    command_id TEXT,
    correlation_id TEXT,
    aggregate TEXT,
    aggregate_id TEXT,
    command TEXT NOT NULL,
    outcome TEXT NOT NULL,
    tenant TEXT,
    dispatched_at INTEGER NOT NULL,
    entry TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_entries_command_id ON audit_entries (command_id, seq);
  CREATE INDEX audit_entries_correlation_id ON audit_entries (correlation_id, seq);
  CREATE INDEX audit_entries_aggregate ON audit_entries (aggregate, aggregate_id, seq);
  CREATE INDEX audit_entries_command ON audit_entries (command, seq);
  CREATE INDEX audit_entries_outcome ON audit_entries (outcome, seq);
  CREATE INDEX audit_entries_tenant ON audit_entries (tenant, seq);
  CREATE INDEX audit_entries_dispatched_at ON audit_entries (dispatched_at);
`

/**
 * Keeps an audit trail in a SQLite file of its own: not in that of the event store, whose commits it would hold up.
 *
 * @example
 * import { sqliteAuditStore } from 'edict/sqlite'
 *
 * const trail = auditTrail({ store: sqliteAuditStore('audit.db') })
 *
 * @throws {InvalidOptionError} `invalid_option`
 */
export function sqliteAuditStore(path: string): AuditStore {
  return new SqliteAuditStore(checkedPath(path, 'sqliteAuditStore', 'inMemoryAuditStore()'))
}

interface Row {
  readonly seq: number
  readonly entry: string
}

class SqliteAuditStore implements AuditStore {
  readonly name: string
  readonly #path: string
  #database: Database | undefined

  constructor(path: string) {
    this.#path = path
    this.name = `sqlite ${path}`
  }

  async open(): Promise<void> {
    const driver = await loadDriver()
    let database: Database | undefined
    try {
      database = new driver(this.#path, { timeout: BUSY_TIMEOUT_MS })
      checkLibrary(database)
      prepare(database, this.#path)
      this.#database = database
    } catch (thrown) {
      database?.close()
      throw this.#failure('open', thrown)
    }
  }

  close(): void {
    this.#database?.close()
    this.#database = undefined
  }

  write(entries: readonly AuditEntry[]): void {
    this.#run('write', (database) => {
      const places = COLUMNS.map(() => '?').join(', ')
      const changes = COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')
      const statement = database.prepare<AuditValue[]>(
        `INSERT INTO audit_entries (${COLUMNS.join(', ')}) VALUES (${places}) ON CONFLICT (entry_id) DO UPDATE SET ${changes}`,
      )
      database
        .transaction(() => {
          for (const entry of entries) statement.run(...rowOf(entry))
        })
        .immediate()
    })
  }

  find(query: CheckedAuditQuery): AuditPage {
    return this.#run('read', (database) => {
      const { sql, values } = auditConditions(query, () => '?')
      const rows = database.prepare<AuditValue[], Row>(`SELECT seq, entry FROM audit_entries ${sql}`).all(...values)
      return auditPage(rows, query)
    })
  }

  #run<Result>(operation: string, work: (database: Database) => Result): Result {
    if (this.#database === undefined) throw new NotRunningError(`the audit store ${this.#path} is not open`)
    try {
      return work(this.#database)
    } catch (thrown) {
      throw this.#failure(operation, thrown)
    }
  }

  #failure(operation: string, thrown: unknown): Error {
    if (isEdictError(thrown)) return thrown
    const message = `the audit store ${this.#path} failed to ${operation}: ${describeThrown(thrown)}`
    return new StoreError(message, { cause: thrown })
  }
}

/** Makes the table where it is not there yet; whose file it is, is looked at first. */
function prepare(database: Database, path: string): void {
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database
    .transaction(() => {
      const id = Number(database.pragma('application_id', { simple: true }))
      if (id === APPLICATION_ID) return
      const tables = Number(database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get())
      if (id !== 0 || tables > 0) {
        throw new StoreError(`${path} is a SQLite file of something else: give the audit trail a file of its own`)
      }
      database.exec(TABLE)
      database.pragma(`application_id = ${APPLICATION_ID}`)
    })
    .immediate()
}
