import type { ProjectionHarness } from 'edict/testing'
import { InvalidOptionError } from '../../lib/errors.ts'
import type { MaybePromise } from '../../lib/effects/maybe-promise.ts'
import type { Checkpoint } from '../../lib/event-store/checkpoint.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import type { ProjectionStore, Publication } from '../../lib/event-store/projection-store.ts'

type Rows = ReadonlyMap<string, ReadonlySet<string>>

/** All that a transaction changes, on a copy, until it is done. */
interface Transaction {
  tables: Map<string, ReadonlySet<string>>
  views: Map<string, string>
  publications: Map<string, Publication>
  /** Undefined where it is deleted. */
  checkpoints: Map<string, Checkpoint | undefined>
}

/** Tables in memory, in which one transaction is under way at a time. */
export class SharedTables implements ProjectionStore<Transaction> {
  readonly kind = 'shared-memory'
  readonly #memory: EventStore
  #tables: Rows = new Map()
  #views: ReadonlyMap<string, string> = new Map()
  #publications: ReadonlyMap<string, Publication> = new Map()
  #last: Promise<unknown> = Promise.resolve()

  constructor(memory: EventStore) {
    this.#memory = memory
  }

  /** What must not come between a transaction's writes waits for those that are under way. */
  async afterTransactions<Answer>(work: () => MaybePromise<Answer>): Promise<Answer> {
    await this.#last
    return work()
  }

  async transaction<Result>(work: (tx: Transaction) => MaybePromise<Result>): Promise<Result> {
    const done = this.#last.then(() => this.#run(work))
    this.#last = done.catch(() => undefined)
    return done
  }

  async #run<Result>(work: (tx: Transaction) => MaybePromise<Result>): Promise<Result> {
    const tx: Transaction = {
      tables: new Map(this.#tables),
      views: new Map(this.#views),
      publications: new Map(this.#publications),
      checkpoints: new Map(),
    }
    const result = await work(tx)
    for (const [name, checkpoint] of tx.checkpoints) {
      void (checkpoint === undefined ? this.#memory.deleteCheckpoint(name) : this.#memory.saveCheckpoint(checkpoint))
    }
    this.#tables = tx.tables
    this.#views = tx.views
    this.#publications = tx.publications
    return result
  }

  async lockCheckpoint(tx: Transaction, name: string, epoch?: number): Promise<Checkpoint | undefined> {
    const now = tx.checkpoints.has(name) ? tx.checkpoints.get(name) : await this.#memory.readCheckpoint(name)
    if (now === undefined || epoch === undefined) return now
    return (await this.#memory.renewCheckpoints([{ name, epoch }]))[0] === true ? now : undefined
  }

  async saveCheckpoint(tx: Transaction, checkpoint: Checkpoint): Promise<boolean> {
    if ((await this.lockCheckpoint(tx, checkpoint.name, checkpoint.epoch)) === undefined) return false
    tx.checkpoints.set(checkpoint.name, checkpoint)
    return true
  }

  deleteCheckpoint(tx: Transaction, name: string): void {
    tx.checkpoints.set(name, undefined)
  }

  /** Of all SQL only what makes tables. */
  execute(tx: Transaction, sql: string): void {
    for (const [, name = ''] of sql.matchAll(/CREATE TABLE (\w+)/g)) tx.tables.set(name, new Set())
  }

  readPublication(tx: Transaction, name: string): Publication | undefined {
    return tx.publications.get(name)
  }

  findPublications(tx: Transaction, views: readonly string[]): readonly Publication[] {
    return [...tx.publications.values()].filter(({ tables }) => views.some((view) => Object.hasOwn(tables, view)))
  }

  unpublish(tx: Transaction, name: string): void {
    for (const view of Object.keys(tx.publications.get(name)?.tables ?? {})) tx.views.delete(view)
    tx.publications.delete(name)
  }

  publish(tx: Transaction, publication: Publication): void {
    this.unpublish(tx, publication.name)
    for (const [view, table] of Object.entries(publication.tables)) {
      if (tx.tables.has(view) || tx.views.has(view)) throw new InvalidOptionError(`${view} is there`)
      tx.views.set(view, table)
    }
    tx.publications.set(publication.name, publication)
  }

  dropTables(tx: Transaction, tables: readonly string[]): void {
    for (const table of tables) tx.tables.delete(table)
  }

  /** A table of the name, or the one behind the view. */
  #rowsOf(name: string): ReadonlySet<string> {
    const rows = this.#tables.get(this.#views.get(name) ?? name)
    if (rows === undefined) throw new Error(`there is no table ${name}`)
    return rows
  }

  /** The statements that cases need. */
  readonly harness: ProjectionHarness = {
    createTable: (tx, name) => {
      transactionOf(tx).tables.set(name, new Set())
    },
    insert: (tx, name, id) => {
      const { tables } = transactionOf(tx)
      const rows = tables.get(name)
      if (rows === undefined) throw new Error(`there is no table ${name}`)
      tables.set(name, new Set([...rows, id]))
    },
    count: (name) => this.#rowsOf(name).size,
  }
}

/** What the suite hands on is what `transaction` gave to its work. */
function transactionOf(tx: unknown): Transaction {
  return tx as Transaction
}
