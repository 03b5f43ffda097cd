import type { MaybePromise } from '../../effects/maybe-promise.ts'
import { describeThrown, InvalidOptionError, StoreError } from '../../errors.ts'
import { shown } from '../../event-store/argument-checks.ts'
import type { Checkpoint } from '../../event-store/checkpoint.ts'
import type { ProjectionStore, Publication } from '../../event-store/projection-store.ts'
import { endedTransaction } from '../../event-store/ended-transaction.ts'
import { publicationSaid, publicationText, publishesAny } from '../../event-store/publication-text.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Database } from './driver.ts'
import { isStatementAtFault } from './failure.ts'

/** What projections need of the open store. */
export interface ProjectionHome {
  checkpointsIn(tx: Database): Checkpoints
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

  lockCheckpoint(tx: Database, name: string, epoch?: number): Checkpoint | undefined {
    return this.#home().checkpointsIn(tx).lock(name, epoch)
  }

  saveCheckpoint(tx: Database, checkpoint: Checkpoint): boolean {
    const saved = this.#home().checkpointsIn(tx).save(checkpoint)
    if (!tx.inTransaction) throw endedTransaction()
    return saved
  }

  deleteCheckpoint(tx: Database, name: string): void {
    this.#home().checkpointsIn(tx).delete(name)
  }

  execute(tx: Database, sql: string): void {
    try {
      tx.exec(sql)
    } catch (thrown) {
      if (!isStatementAtFault(thrown)) throw thrown
      throw new InvalidOptionError(`execute: the database refuses it: ${describeThrown(thrown)}`)
    }
  }

  readPublication(tx: Database, name: string): Publication | undefined {
    const row = tx
      .prepare<[string], PublicationRow>(
        'SELECT name, version, generation, tables FROM edict_publications WHERE name = ?',
      )
      .get(name)
    return row && publicationOf(row)
  }

  findPublications(tx: Database, views: readonly string[]): readonly Publication[] {
    return tx
      .prepare<[], PublicationRow>('SELECT name, version, generation, tables FROM edict_publications ORDER BY name')
      .all()
      .map(publicationOf)
      .filter((publication) => publishesAny(publication, views))
  }

  publish(tx: Database, publication: Publication): void {
    const { name, version, generation, tables } = publication
    this.#dropViews(tx, name)
    for (const [view, table] of Object.entries(tables)) {
      mustBeFree(tx, view)
      tx.exec(`CREATE VIEW ${quoted(view)} AS SELECT * FROM ${quoted(table)}`)
    }
    tx.prepare(
      `INSERT INTO edict_publications (name, version, generation, tables) VALUES (?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET version = excluded.version, generation = excluded.generation, tables = excluded.tables`,
    ).run(name, version, generation, publicationText(publication))
  }

  unpublish(tx: Database, name: string): void {
    this.#dropViews(tx, name)
    tx.prepare('DELETE FROM edict_publications WHERE name = ?').run(name)
  }

  #dropViews(tx: Database, name: string): void {
    const views = Object.keys(this.readPublication(tx, name)?.tables ?? {})
    for (const view of views) tx.exec(`DROP VIEW IF EXISTS ${quoted(view)}`)
  }

  dropTables(tx: Database, tables: readonly string[]): void {
    for (const table of tables) tx.exec(`DROP TABLE IF EXISTS ${quoted(table)}`)
  }
}

function mustBeFree(tx: Database, view: string): void {
  const type = tx
    .prepare<[string], string>('SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE')
    .pluck()
    .get(view)
  if (type === undefined) return
  throw new InvalidOptionError(
    `publish: ${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type} named ${view} is there that is none of the store's own: ` +
      'name another in tables, or rename that one',
  )
}

function publicationOf({ name, version, generation, tables }: PublicationRow): Publication {
  try {
    return { name, version, generation, ...publicationSaid(tables) }
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
