import { createRequire } from 'node:module'
import type { StoreDiagnosis } from '../../event-store/store-diagnosis.ts'
import type { Queries } from './database.ts'
import { migrationCounts } from './migrations.ts'
import type { SchemaName } from './schema-name.ts'

const SETTINGS = ['fsync', 'full_page_writes', 'synchronous_commit'] as const

const LOST: Readonly<Record<(typeof SETTINGS)[number], string>> = {
  fsync: 'a crash of the machine may lose events and damage the database',
  full_page_writes: 'a crash of the machine may damage the database',
  synchronous_commit: 'a crash of the server may lose the last writes of applications that do not set it themselves',
}

/** What is to be known of a database whose store is open. */
export async function diagnosis(queries: Queries, schema: SchemaName): Promise<StoreDiagnosis> {
  const { version } = createRequire(import.meta.url)('pg/package.json') as { readonly version: string }
  const columns = SETTINGS.map((name) => `current_setting('${name}')`).join(', ')
  const [row] = await queries.query(
    `SELECT current_setting('server_version'), extract(epoch FROM clock_timestamp()) * 1000, ${columns}`,
  )
  const [server, now, ...settings] = row as readonly unknown[]
  const durability = Object.fromEntries(SETTINGS.map((name, index) => [name, String(settings[index])]))
  return {
    driver: { name: 'pg', version },
    database: `PostgreSQL ${String(server)}`,
    schema: await migrationCounts(queries, schema),
    durability,
    warnings: SETTINGS.filter((name) => durability[name] === 'off').map((name) => `${name} is off: ${LOST[name]}`),
    now: Number(now),
  }
}
