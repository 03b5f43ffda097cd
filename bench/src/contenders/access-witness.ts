import Database from 'better-sqlite3'
import pg from 'pg'
import type { StoreKind } from './durable-store.ts'

/** Does something with a store, and tells by which indexes its rows were got at. Throws where a whole table was gone through. */
export type Watch = (work: () => Promise<void>) => Promise<readonly string[]>

export const watchOf = (kind: StoreKind, place: string): Watch =>
  kind === 'sqlite' ? (work) => watchSqlite(place, work) : (work) => watchPostgres(place, work)

const RUNS = ['all', 'get', 'run'] as const

/** Asks for the plan of each statement that runs meanwhile, on whatever connection. */
async function watchSqlite(path: string, work: () => Promise<void>): Promise<readonly string[]> {
  const database = new Database(path, { readonly: true })
  const ran = new Set<string>()
  // All statements of the driver have this prototype, whose methods are plain functions.
  const statements = Object.getPrototypeOf(database.prepare('SELECT 1')) as Record<
    string,
    (...values: unknown[]) => unknown
  >
  const originals = RUNS.map((name) => statements[name]!)
  for (const [index, name] of RUNS.entries()) {
    statements[name] = function (this: { readonly source: string }, ...values) {
      ran.add(this.source)
      return originals[index]!.apply(this, values)
    }
  }
  try {
    await work()
  } finally {
    for (const [index, name] of RUNS.entries()) statements[name] = originals[index]!
  }
  const steps = [...ran]
    .filter((sql) => /^\s*(SELECT|INSERT|UPDATE|DELETE)/.test(sql))
    .flatMap((sql) => database.prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll(/\?|@\w+/g, '1')}`).all())
    .map((step) => (step as { readonly detail: string }).detail)
  database.close()
  // What is gone through may be what a subquery has found, a list that was given, or the few kinds of events.
  const scan = steps.find((step) => /^SCAN (edict_events|edict_streams|e|s)\b/.test(step))
  if (scan !== undefined) throw new Error(`wrong result: a table is gone through: ${scan}`)
  return unique(steps.flatMap((step) => sqliteIndexOf(step) ?? []))
}

function sqliteIndexOf(step: string): string | undefined {
  if (/^SEARCH (edict_events|e)\b/.test(step) && !step.includes(' INDEX ')) return 'position'
  const name = / INDEX (edict_events\w+|sqlite_autoindex_edict_events_1)/.exec(step)?.[1]
  return name === 'sqlite_autoindex_edict_events_1' ? '(stream, version)' : name
}

/** Looks at what PostgreSQL has counted meanwhile: that has the statements within functions, too. */
async function watchPostgres(connectionString: string, work: () => Promise<void>): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const counted = async () => {
    // A connection that ends has counted all; and those who are still there are waited for.
    for (;;) {
      const { rows } = await client.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
      )
      if (rows.length === 0) break
    }
    const { rows } = await client.query<{ name: string; scans: string }>(
      `SELECT relname AS name, seq_scan AS scans FROM pg_stat_user_tables WHERE schemaname = 'edict' AND relname IN ('events', 'streams')
       UNION ALL SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE schemaname = 'edict' AND relname = 'events'`,
    )
    return new Map(rows.map(({ name, scans }) => [name, Number(scans)]))
  }
  const before = await counted()
  await work()
  const after = await counted()
  await client.end()
  const used = [...after].filter(([name, scans]) => scans > (before.get(name) ?? 0)).map(([name]) => name)
  const table = used.find((name) => name === 'events' || name === 'streams')
  if (table !== undefined) throw new Error(`wrong result: the table ${table} is gone through`)
  return unique(used)
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort()
