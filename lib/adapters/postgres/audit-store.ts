import { auditConditions, auditPage, COLUMNS, rowOf } from '../../audit/audit-row.ts'
import type { AuditEntry } from '../../audit/audit-entry.ts'
import type { AuditPage, CheckedAuditQuery } from '../../audit/audit-query.ts'
import type { AuditStore } from '../../audit/audit-store.ts'
import { NotRunningError } from '../../errors.ts'
import { Database } from './database.ts'
import { storeFailure } from './failure.ts'
import { checkedOptions, type CheckedOptions, type PostgresEventStoreOptions } from './options.ts'
import type { SchemaName } from './schema-name.ts'

/** Where the database is, in `pg`'s own words, and in which schema the table is. */
export interface PostgresAuditStoreOptions extends Omit<PostgresEventStoreOptions, 'migrate' | 'listen'> {
  /** The schema of the table; it may be that of the event store. @default 'edict' */
  readonly schema?: string
  /** The most connections at once. @default 2 */
  readonly maxConnections?: number
}

/** Everybody who makes the table waits for this lock: two who do so at once would be in each other's way. */
const TABLE_LOCK = 4_919_341_297_004_001n

const TABLE = `
  CREATE SCHEMA IF NOT EXISTS "edict";
  CREATE TABLE IF NOT EXISTS "edict".audit_entries (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id text COLLATE "C" NOT NULL UNIQUE,
    command_id text COLLATE "C",
    correlation_id text COLLATE "C",
    aggregate text COLLATE "C",
    aggregate_id text COLLATE "C",
    command text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    tenant text COLLATE "C",
    dispatched_at bigint NOT NULL,
    entry text NOT NULL
  );
  CREATE INDEX IF NOT EXISTS audit_entries_command_id ON "edict".audit_entries (command_id, seq);
  CREATE INDEX IF NOT EXISTS audit_entries_correlation_id ON "edict".audit_entries (correlation_id, seq);
  CREATE INDEX IF NOT EXISTS audit_entries_aggregate ON "edict".audit_entries (aggregate, aggregate_id, seq);
  CREATE INDEX IF NOT EXISTS audit_entries_command ON "edict".audit_entries (command, seq);
  CREATE INDEX IF NOT EXISTS audit_entries_outcome ON "edict".audit_entries (outcome, seq);
  CREATE INDEX IF NOT EXISTS audit_entries_tenant ON "edict".audit_entries (tenant, seq);
  CREATE INDEX IF NOT EXISTS audit_entries_dispatched_at ON "edict".audit_entries (dispatched_at);
`

/** Entries of one statement. */
const BATCH = 500

/**
 * Keeps an audit trail in a table of a PostgreSQL database, which is made when the store is opened.
 *
 * @example
 * import { postgresAuditStore } from 'edict/postgres'
 *
 * const trail = auditTrail({ store: postgresAuditStore({ connectionString: 'postgres://localhost/bank', schema: 'audit' }) })
 *
 * @throws {InvalidOptionError} `invalid_option`
 */
export function postgresAuditStore(options: PostgresAuditStoreOptions = {}): AuditStore {
  return new PostgresAuditStore(checkedOptions({ maxConnections: 2, ...options, listen: false }, 'postgresAuditStore'))
}

class PostgresAuditStore implements AuditStore {
  readonly name: string
  readonly #options: CheckedOptions
  readonly #schema: SchemaName
  #database: Database | undefined

  constructor(options: CheckedOptions) {
    this.#options = options
    this.#schema = options.schema
    this.name = `postgres ${options.schema.name}`
  }

  async open(): Promise<void> {
    const database = await Database.connect(this.#options)
    try {
      // A role that may not make tables is none the worse where it is there.
      const [row] = await database.query(`SELECT to_regclass($1) IS NOT NULL`, [`${this.#schema.quoted}.audit_entries`])
      if (row?.[0] !== 't') {
        // Statements that are sent together are one transaction.
        await database.query(`SELECT pg_advisory_xact_lock(${TABLE_LOCK}); ${this.#schema.sql(TABLE)}`)
      }
      this.#database = database
    } catch (thrown) {
      await database.close()
      throw storeFailure('make the table of the audit trail', thrown)
    }
  }

  async close(): Promise<void> {
    const database = this.#database
    this.#database = undefined
    await database?.close()
  }

  async write(entries: readonly AuditEntry[]): Promise<void> {
    const database = this.#opened
    const columns = COLUMNS.join(', ')
    const changes = COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')
    try {
      for (let first = 0; first < entries.length; first += BATCH) {
        const rows = entries.slice(first, first + BATCH).map(rowOf)
        const values = rows.map(
          (row, at) => `(${row.map((_, column) => `$${at * row.length + column + 1}`).join(', ')})`,
        )
        await database.query(
          `INSERT INTO ${this.#schema.quoted}.audit_entries (${columns}) VALUES ${values.join(', ')} ` +
            `ON CONFLICT (entry_id) DO UPDATE SET ${changes}`,
          rows.flat(),
        )
      }
    } catch (thrown) {
      throw storeFailure('write the audit trail', thrown)
    }
  }

  async find(query: CheckedAuditQuery): Promise<AuditPage> {
    const { sql, values } = auditConditions(query, (index) => `$${index}`)
    try {
      const rows = await this.#opened.read(`SELECT seq, entry FROM ${this.#schema.quoted}.audit_entries ${sql}`, values)
      return auditPage(
        rows.map(([seq, entry]) => ({ seq: Number(seq), entry: entry ?? '' })),
        query,
      )
    } catch (thrown) {
      throw storeFailure('read the audit trail', thrown)
    }
  }

  get #opened(): Database {
    if (this.#database === undefined) throw new NotRunningError(`the audit store ${this.name} is not open`)
    return this.#database
  }
}
