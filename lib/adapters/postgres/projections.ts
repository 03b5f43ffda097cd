import type { ClientBase } from 'pg'
import { StoreError } from '../../errors.ts'
import type { MaybePromise } from '../../effects/maybe-promise.ts'
import type { Checkpoint } from '../../event-store/checkpoint.ts'
import type { ProjectionStore, Publication } from '../../event-store/projection-store.ts'
import type { Checkpoints } from './checkpoints.ts'
import { GRACE_MS, queryOn, type Database, type Queries } from './database.ts'
import { isConnectionLost, sqlState, storeFailure } from './failure.ts'
import type { SchemaName } from './schema-name.ts'
import { endWhenSilent } from './silence.ts'

/** How long one who changes what readers see waits for them, while new readers queue behind it. */
const PUBLISH_LOCK_TIMEOUT = '2s'

/** Transactions of the store's database, in which a read model and its checkpoint are written together. */
export class PostgresProjections implements ProjectionStore<ClientBase> {
  readonly kind = 'postgres'
  readonly #database: () => Database
  readonly #checkpoints: Checkpoints
  readonly #schema: SchemaName

  constructor(database: () => Database, checkpoints: Checkpoints, schema: SchemaName) {
    this.#database = database
    this.#checkpoints = checkpoints
    this.#schema = schema
  }

  async transaction<Result>(work: (tx: ClientBase) => MaybePromise<Result>): Promise<Result> {
    const database = this.#database()
    const { statementTimeout } = database
    const client = await database.connection()
    const endWatch = endWhenSilent(client, statementTimeout + GRACE_MS)
    let broken = true
    try {
      // A node that hangs, or that the network has lost, must not keep the others from its checkpoint.
      await client.query(
        `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = ${statementTimeout}`,
      )
      const result = await work(client)
      await commit(client)
      broken = false
      return result
    } catch (thrown) {
      broken = !(await rolledBack(client))
      throw thrown
    } finally {
      endWatch()
      client.release(broken)
    }
  }

  lockCheckpoint(tx: ClientBase, name: string, epoch?: number): Promise<Checkpoint | undefined> {
    return this.#checkpoints.lock(queriesOf(tx), name, epoch)
  }

  saveCheckpoint(tx: ClientBase, checkpoint: Checkpoint): Promise<boolean> {
    return this.#checkpoints.save(queriesOf(tx), checkpoint)
  }

  deleteCheckpoint(tx: ClientBase, name: string): Promise<void> {
    return this.#checkpoints.delete(queriesOf(tx), name)
  }

  async execute(tx: ClientBase, sql: string): Promise<void> {
    await tx.query(sql)
  }

  async readPublication(tx: ClientBase, name: string): Promise<Publication | undefined> {
    const queries = queriesOf(tx)
    const key = `edict publication ${this.#schema.name} ${name}`
    await queries.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [key])
    const sql = this.#schema.sql('SELECT version, generation, tables FROM "edict".publications WHERE name = $1')
    const [row] = await queries.query(sql, [name])
    if (row === undefined) return undefined
    const [version, generation, tables] = row
    // `publish` wrote just that.
    const names = JSON.parse(tables as string) as Publication['tables']
    return { name, version: Number(version), generation: Number(generation), tables: names }
  }

  async publish(tx: ClientBase, publication: Publication): Promise<void> {
    const queries = queriesOf(tx)
    const { name, version, generation, tables } = publication
    const before = await this.readPublication(tx, name)
    await withShortWait(queries, async () => {
      const gone = Object.keys(before?.tables ?? {}).filter((view) => !Object.hasOwn(tables, view))
      for (const view of gone) await dropView(queries, view)
      for (const [view, table] of Object.entries(tables)) {
        await dropView(queries, view)
        await queries.query(`CREATE VIEW ${quoted(view)} AS SELECT * FROM ${quoted(table)}`)
      }
    })
    const sql = this.#schema.sql(
      `INSERT INTO "edict".publications (name, version, generation, tables) VALUES ($1, $2, $3, $4)
       ON CONFLICT (name) DO UPDATE
       SET version = excluded.version, generation = excluded.generation, tables = excluded.tables`,
    )
    await queries.query(sql, [name, version, generation, JSON.stringify(tables)])
  }

  async dropTables(tx: ClientBase, tables: readonly string[]): Promise<void> {
    if (tables.length === 0) return
    const queries = queriesOf(tx)
    await withShortWait(queries, () => queries.query(`DROP TABLE IF EXISTS ${tables.map(quoted).join(', ')}`))
  }
}

function queriesOf(tx: ClientBase): Queries {
  return { query: (text, values) => queryOn(tx, text, values) }
}

async function commit(client: ClientBase): Promise<void> {
  let command: string
  try {
    ;({ command } = await client.query('COMMIT'))
  } catch (thrown) {
    throw storeFailure('commit a transaction', thrown, isConnectionLost(thrown) ? 'unknown' : 'not-executed')
  }
  // PostgreSQL answers so, and with no error, where a statement before had failed.
  if (command === 'ROLLBACK') {
    throw new StoreError(
      'the postgres event store rolled a transaction back, as a statement in it had failed: let that error through',
    )
  }
}

async function rolledBack(client: ClientBase): Promise<boolean> {
  try {
    await client.query('ROLLBACK')
    return true
  } catch {
    return false
  }
}

/** For what locks readers out: gives up soon, so that those who queue behind it are not held up for long. */
async function withShortWait(queries: Queries, work: () => Promise<unknown>): Promise<void> {
  const [row] = await queries.query("SELECT current_setting('lock_timeout')")
  const before = row?.[0] as string
  const set = (timeout: string) => queries.query("SELECT set_config('lock_timeout', $1, true)", [timeout])
  await set(PUBLISH_LOCK_TIMEOUT)
  await work()
  await set(before)
}

async function dropView(queries: Queries, view: string): Promise<void> {
  try {
    await queries.query(`DROP VIEW IF EXISTS ${quoted(view)}`)
  } catch (thrown) {
    if (sqlState(thrown) !== '42809') throw thrown
    throw new StoreError(
      `the postgres event store cannot publish as ${view}, as a table of that name is there: give the projection another name`,
      { cause: thrown },
    )
  }
}

/** A name as it stands in SQL; one with a dot says its schema before it. */
function quoted(name: string): string {
  const parts = name.split('.')
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
}
