import { readdir, readFile } from 'node:fs/promises'
import { SchemaMismatchError } from '../../errors.ts'
import type { Database, QueriedClient, Queries } from './database.ts'
import { queryOn } from './database.ts'
import { isConnectionLost } from './failure.ts'
import type { SchemaName } from './schema-name.ts'

interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
}

const FOLDER = new URL('./migrations/', import.meta.url)
const FILE = /^(\d{4})-([a-z0-9-]+)\.sql$/

const BOOKKEEPING = `CREATE SCHEMA IF NOT EXISTS "edict";
CREATE TABLE IF NOT EXISTS "edict".migrations (
  number integer NOT NULL,
  name text COLLATE "C" NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT migrations_pkey PRIMARY KEY (number)
);
`

async function readMigrations(): Promise<readonly Migration[]> {
  const files = (await readdir(FOLDER)).filter((file) => FILE.test(file)).sort()
  return Promise.all(
    files.map(async (file) => {
      // The files are those that the pattern fits, and both groups of it must.
      const [, number, name] = FILE.exec(file) as unknown as [string, string, string]
      return { number: Number(number), name, sql: await readFile(new URL(file, FOLDER), 'utf8') }
    }),
  )
}

/** All that `migrate` would do to an empty database, to be read or to be run by other means. */
export async function migrationSql(schema: SchemaName): Promise<string> {
  const migrations = await readMigrations()
  const parts = migrations.map(
    ({ number, name, sql }) => `-- ${fileOf(number, name)}\n\n${sql}\n${recorded(number, name)}\n`,
  )
  return schema.sql(['BEGIN;\n', BOOKKEEPING, ...parts, 'COMMIT;\n'].join('\n'))
}

function fileOf(number: number, name: string): string {
  return `${String(number).padStart(4, '0')}-${name}.sql`
}

function recorded(number: number, name: string): string {
  return `INSERT INTO "edict".migrations (number, name) VALUES (${number}, '${name}');`
}

/**
 * Applies the migrations that the database does not have yet, in one transaction. Whoever does so at the same time, from wherever,
 * waits until it is done, and finds nothing left to do.
 *
 * @throws {SchemaMismatchError} `schema_mismatch` where the database has migrations that this version does not know
 */
export async function migrate(database: Database, schema: SchemaName): Promise<void> {
  const migrations = await readMigrations()
  const client = await database.connection()
  let broken = true
  try {
    // A migration of a large store takes as long as it takes.
    await client.query('BEGIN; SET LOCAL statement_timeout = 0')
    await queryOn(client, 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`edict migrations ${schema.name}`])
    await apply(client, schema, migrations)
    await client.query('COMMIT')
    broken = false
  } catch (thrown) {
    broken = isConnectionLost(thrown) || !(await rolledBack(client))
    throw thrown
  } finally {
    client.release(broken)
  }
}

async function apply(
  client: QueriedClient & { query(text: string): Promise<unknown> },
  schema: SchemaName,
  migrations: readonly Migration[],
): Promise<void> {
  const found = await foundMigration({ query: (text, values) => queryOn(client, text, values) }, schema)
  const expected = migrations.length
  if (found > expected) throw new SchemaMismatchError('postgres', found, expected)
  if (found === 0) await client.query(schema.sql(BOOKKEEPING))
  for (const { number, name, sql } of migrations.slice(found)) {
    await client.query(schema.sql(sql))
    await client.query(schema.sql(recorded(number, name)))
  }
}

async function rolledBack(client: { query(text: string): Promise<unknown> }): Promise<boolean> {
  try {
    await client.query('ROLLBACK')
    return true
  } catch {
    return false
  }
}

/** The number of the last migration that the database has; 0 where it has none. */
async function foundMigration(queries: Queries, schema: SchemaName): Promise<number> {
  // Not by to_regclass, which may still answer from before another one, for whom this transaction waited, made the table.
  const [row] = await queries.query(
    `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = 'migrations'`,
    [schema.name],
  )
  if (row === undefined) return 0
  const [last] = await queries.query(`SELECT coalesce(max(number), 0) FROM ${schema.quoted}.migrations`)
  return Number(last?.[0])
}

/** How many migrations the database has, and how many there are. */
export async function migrationCounts(
  queries: Queries,
  schema: SchemaName,
): Promise<{ readonly found: number; readonly expected: number }> {
  return { found: await foundMigration(queries, schema), expected: (await readMigrations()).length }
}

/**
 * Whether migrations are missing.
 *
 * @throws {SchemaMismatchError} `schema_mismatch` where the database has migrations that this version does not know
 */
export async function isOutdated(queries: Queries, schema: SchemaName): Promise<boolean> {
  const expected = (await readMigrations()).length
  const found = await foundMigration(queries, schema)
  if (found > expected) throw new SchemaMismatchError('postgres', found, expected)
  return found < expected
}

/** @throws {SchemaMismatchError} `schema_mismatch` unless the database has just the migrations of this version */
export async function checkSchema(queries: Queries, schema: SchemaName): Promise<void> {
  const expected = (await readMigrations()).length
  const found = await foundMigration(queries, schema)
  if (found !== expected) throw new SchemaMismatchError('postgres', found, expected)
}
