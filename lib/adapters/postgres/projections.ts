import type { ClientBase } from 'pg'
import { describeThrown, InvalidOptionError, StoreError } from '../../errors.ts'
import type { MaybePromise } from '../../effects/maybe-promise.ts'
import type { Checkpoint } from '../../event-store/checkpoint.ts'
import type { ProjectionStore, Publication } from '../../event-store/projection-store.ts'
import { publicationSaid, publicationText, publishesAny } from '../../event-store/publication-text.ts'
import { MARK_TRANSACTION, type Checkpoints } from './checkpoints.ts'
import { GRACE_MS, queryOn, type Database, type Queries, type Row } from './database.ts'
import { isConnectionLost, isStatementAtFault, sqlState, storeFailure } from './failure.ts'
import type { SchemaName } from './schema-name.ts'
import { watchEnd } from './connection-end.ts'
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
    const connection = watchEnd(client)
    database.transactions.add(connection)
    let broken = true
    try {
      // A node that hangs, or that the network has lost, must not keep the others from its checkpoint.
      await client.query(
        `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = ${statementTimeout}; ${MARK_TRANSACTION}`,
      )
      const result = await Promise.race([work(client), connection.lost])
      await commit(client)
      broken = false
      return result
    } catch (thrown) {
      broken = !(await rolledBack(client))
      throw thrown
    } finally {
      endWatch()
      connection.endWatch()
      database.transactions.delete(connection)
      client.release(broken)
    }
  }

  lockCheckpoint(tx: ClientBase, name: string, epoch?: number): Promise<Checkpoint | undefined> {
    return this.#checkpoints.lock(queriesOf(tx), name, epoch)
  }

  saveCheckpoint(tx: ClientBase, checkpoint: Checkpoint): Promise<boolean> {
    return this.#checkpoints.saveWithin(queriesOf(tx), checkpoint)
  }

  deleteCheckpoint(tx: ClientBase, name: string): Promise<void> {
    return this.#checkpoints.delete(queriesOf(tx), name)
  }

  async execute(tx: ClientBase, sql: string): Promise<void> {
    try {
      await tx.query(sql)
    } catch (thrown) {
      if (!isStatementAtFault(thrown)) throw thrown
      throw new InvalidOptionError(`execute: the database refuses it: ${describeThrown(thrown)}`)
    }
  }

  async readPublication(tx: ClientBase, name: string): Promise<Publication | undefined> {
    const queries = queriesOf(tx)
    await this.#holdUntilTheEnd(queries, `publication ${this.#schema.name} ${name}`)
    const sql = this.#schema.sql('SELECT name, version, generation, tables FROM "edict".publications WHERE name = $1')
    const [row] = await queries.query(sql, [name])
    return row && publicationOf(row)
  }

  async findPublications(tx: ClientBase, views: readonly string[]): Promise<readonly Publication[]> {
    const queries = queriesOf(tx)
    // In one order, so that two who ask for the same never wait for each other.
    for (const view of [...views].sort()) await this.#holdUntilTheEnd(queries, `view ${this.#schema.name} ${view}`)
    const sql = this.#schema.sql('SELECT name, version, generation, tables FROM "edict".publications ORDER BY name')
    const found = (await queries.query(sql)).map(publicationOf)
    return found.filter((publication) => publishesAny(publication, views))
  }

  async #holdUntilTheEnd(queries: Queries, what: string): Promise<void> {
    await queries.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`edict ${what}`])
  }

  async publish(tx: ClientBase, publication: Publication): Promise<void> {
    const queries = queriesOf(tx)
    const { name, version, generation, tables } = publication
    const before = await this.readPublication(tx, name)
    await withShortWait(queries, async () => {
      await dropViews(queries, before)
      for (const [view, table] of Object.entries(tables)) await createView(queries, view, table)
    })
    const sql = this.#schema.sql(
      `INSERT INTO "edict".publications (name, version, generation, tables) VALUES ($1, $2, $3, $4)
       ON CONFLICT (name) DO UPDATE
       SET version = excluded.version, generation = excluded.generation, tables = excluded.tables`,
    )
    await queries.query(sql, [name, version, generation, publicationText(publication)])
  }

  async unpublish(tx: ClientBase, name: string): Promise<void> {
    const queries = queriesOf(tx)
    const before = await this.readPublication(tx, name)
    await withShortWait(queries, () => dropViews(queries, before))
    await queries.query(this.#schema.sql('DELETE FROM "edict".publications WHERE name = $1'), [name])
  }

  async dropTables(tx: ClientBase, tables: readonly string[]): Promise<void> {
    if (tables.length === 0) return
    const queries = queriesOf(tx)
    try {
      await withShortWait(queries, () => queries.query(`DROP TABLE IF EXISTS ${tables.map(quoted).join(', ')}`))
    } catch (thrown) {
      throw sqlState(thrown) === '2BP01' ? isRead(thrown) : thrown
    }
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

async function dropViews(queries: Queries, publication: Publication | undefined): Promise<void> {
  for (const view of Object.keys(publication?.tables ?? {})) await queries.query(`DROP VIEW IF EXISTS ${quoted(view)}`)
}

async function createView(queries: Queries, view: string, table: string): Promise<void> {
  // The schema that a view of this name would be made in.
  const [row] = await queries.query(
    `SELECT CASE WHEN relkind IN ('v', 'm') THEN 'a view' WHEN relkind IN ('r', 'p', 'f') THEN 'a table' ELSE 'something' END
     FROM pg_catalog.pg_class
     WHERE relname = $2 AND relnamespace = to_regnamespace(coalesce(quote_ident($1), quote_ident(current_schema())))`,
    placeOf(view),
  )
  if (row !== undefined) {
    throw new InvalidOptionError(
      `publish: ${row[0] as string} named ${view} is there that is none of the store's own: name another in tables, or rename that one`,
    )
  }
  await queries.query(`CREATE VIEW ${quoted(view)} AS SELECT * FROM ${quoted(table)}`)
}

function isRead(thrown: unknown): InvalidOptionError {
  const { detail } = thrown as { readonly detail?: string }
  return new InvalidOptionError(
    `dropTables: ${describeThrown(thrown)} (${detail}). Where that is the view of another store in this database, ` +
      'with a projection of the same name, give each store a search_path of its own; else drop it, or make it anew upon the views',
  )
}

function publicationOf([name, version, generation, tables]: Row): Publication {
  return {
    name: name as string,
    version: Number(version),
    generation: Number(generation),
    // `publish` wrote just that.
    ...publicationSaid(tables as string),
  }
}

/** The schema of a name, where it says one, and the rest of it. */
function placeOf(name: string): [schema: string | null, table: string] {
  const dot = name.indexOf('.')
  return dot < 0 ? [null, name] : [name.slice(0, dot), name.slice(dot + 1)]
}

/** A name as it stands in SQL; one with a dot says its schema before it. */
function quoted(name: string): string {
  const parts = name.split('.')
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
}
