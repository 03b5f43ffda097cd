// node node_modules/edict/dist/postgres/migrate.js <connection string> [--schema edict] [--sql]
import process from 'node:process'
import { parseArgs } from 'node:util'
import { postgresEventStore } from '../adapters/postgres/postgres-event-store.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { schema: { type: 'string', default: 'edict' }, sql: { type: 'boolean', default: false } },
})
const [connectionString] = positionals
const store = postgresEventStore({ schema: values.schema, ...(connectionString !== undefined && { connectionString }) })

if (values.sql) process.stdout.write(await store.migrationSql())
else await store.migrate()
