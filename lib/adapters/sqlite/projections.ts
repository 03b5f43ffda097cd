import type { MaybePromise } from '../../effects/maybe-promise.ts'
import { InvalidOptionError, StoreError } from '../../errors.ts'
import { shown } from '../../event-store/argument-checks.ts'
import type { Checkpoint } from '../../event-store/checkpoint.ts'
import type { ProjectionStore, Publication } from '../../event-store/projection-store.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Database } from './driver.ts'

/** What projections need of the open store. */
export interface ProjectionHome {
  readonly checkpoints: Checkpoints
  transaction<Result>(work: (tx: Database) => MaybePromise<Result>): Promise<Result>
}

interface PublicationRow extends Omit<Publication, 'tables'> {
  readonly tables: string
}

/**
 * What projections get of a SQLite store: transactions on its writing connection, which is the `tx` that they see. A file has one
 * writer at a time, so that what is read within one stays as it is until the end.
 */
export class SqliteProjections implements ProjectionStore<Database> {
  readonly kind = 'sqlite'
  readonly #home: () => ProjectionHome

  /** @param home asked for with every call, as the store may be closed and opened again */
  constructor(home: () => ProjectionHome) {
    this.#home = home
  }

  transaction<Result>(work: (tx: Database) => MaybePromise<Result>): Promise<Result> {
    return this.#home().transaction(work)
  }

  lockCheckpoint(_tx: Database, name: string, epoch?: number): Checkpoint | undefined {
    return this.#home().checkpoints.lock(name, epoch)
  }

  saveCheckpoint(_tx: Database, checkpoint: Checkpoint): boolean {
    return this.#home().checkpoints.save(checkpoint)
  }

  deleteCheckpoint(_tx: Database, name: string): void {
    this.#home().checkpoints.delete(name)
  }

  execute(tx: Database, sql: string): void {
    tx.exec(sql)
  }

  readPublication(tx: Database, name: string): Publication | undefined {
    const row = tx
      .prepare<[string], PublicationRow>(
        'SELECT name, version, generation, tables FROM edict_publications WHERE name = ?',
      )
      .get(name)
    return row && { ...row, tables: tablesOf(row) }
  }

  publish(tx: Database, publication: Publication): void {
    const { name, version, generation, tables } = publication
    const before = this.readPublication(tx, name)?.tables ?? {}
    for (const view of new Set([...Object.keys(before), ...Object.keys(tables)])) dropView(tx, view)
    for (const [view, table] of Object.entries(tables)) {
      tx.exec(`CREATE VIEW ${quoted(view)} AS SELECT * FROM ${quoted(table)}`)
    }
    tx.prepare(
      `INSERT INTO edict_publications (name, version, generation, tables) VALUES (?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET version = excluded.version, generation = excluded.generation, tables = excluded.tables`,
    ).run(name, version, generation, JSON.stringify(tables))
  }

  dropTables(tx: Database, tables: readonly string[]): void {
    for (const table of tables) tx.exec(`DROP TABLE IF EXISTS ${quoted(table)}`)
  }
}

function dropView(tx: Database, view: string): void {
  const name = quoted(view)
  const type = tx
    .prepare<[string], string>('SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE')
    .pluck()
    .get(view)
  if (type !== undefined && type !== 'view') {
    throw new InvalidOptionError(
      `publish: ${view} is a ${type} already, which no view can take the place of: rename one`,
    )
  }
  tx.exec(`DROP VIEW IF EXISTS ${name}`)
}

function tablesOf({ name, tables }: PublicationRow): Readonly<Record<string, string>> {
  try {
    // Nobody but publish writes it.
    return JSON.parse(tables) as Record<string, string>
  } catch (thrown) {
    throw new StoreError(`the sqlite event store has a damaged publication of ${name}`, { cause: thrown })
  }
}

/** The name of a table or a view as it stands in a statement; the store's own tables are nobody's to drop or to stand for. */
function quoted(name: string): string {
  if (/^(edict|sqlite)_/i.test(name)) {
    throw new InvalidOptionError(`names that begin with edict_ or sqlite_ are the store's own: ${shown(name)}`)
  }
  return `"${name.replaceAll('"', '""')}"`
}
