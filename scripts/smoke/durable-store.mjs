// Opens a SQLite store of the packed package, which has to bring its migrations along: node durable-store.mjs PATH
import process from 'node:process'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'

const store = sqliteEventStore(process.argv[2])
await store.open()
const head = await store.headPosition()
await store.close()
if (head !== 0) throw new Error(`a new store begins at ${head}`)

const sql = await postgresEventStore({ connectionString: 'postgres://localhost/accounts' }).migrationSql()
if (!/create table/i.test(sql)) throw new Error('the PostgreSQL store has no migrations')
console.log(`stores: SQLite opens a new file, and PostgreSQL has ${sql.length} characters of migrations`)
