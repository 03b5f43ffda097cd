import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { InvalidOptionError, UnsupportedCapabilityError } from '../errors.ts'
import { isRecord } from './answer-checks.ts'
import { checkObject, checkOptionalWhole, checkText, checkWhole, shown } from './argument-checks.ts'
import { checkPlace } from './checkpoint-checks.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { EventStore } from './event-store.ts'
import type { ProjectionStore, Publication } from './projection-store.ts'
import type { StoreDoor } from './store-door.ts'

/**
 * What a store gives to projections.
 *
 * @throws {UnsupportedCapabilityError} `unsupported_capability`, with the store's name, where it gives nothing to them
 */
export function projectionsOf(store: EventStore): ProjectionStore {
  if (store.projections !== undefined) return store.projections
  throw new UnsupportedCapabilityError(store.name, 'tables for projections (projections)')
}

/** The checks in front of what a store gives to projections. */
export class CheckedProjectionStore implements ProjectionStore {
  readonly kind: string
  readonly #projections: ProjectionStore
  readonly #door: StoreDoor

  constructor(projections: ProjectionStore, door: StoreDoor) {
    this.kind = projections.kind
    this.#projections = projections
    this.#door = door
  }

  async transaction<Result>(work: (tx: unknown) => MaybePromise<Result>): Promise<Result> {
    this.#door.mustBeOpen('transaction')
    if (typeof work !== 'function') {
      throw new InvalidOptionError(`transaction: the work must be a function, not ${shown(work)}`)
    }
    const watched = new WatchedWork(work)
    try {
      return await this.#projections.transaction((tx) => watched.run(tx))
    } catch (thrown) {
      if (watched.threw(thrown)) throw thrown
      // Once the work is done there is only the commit, and nobody can tell whether that came through.
      throw this.#door.failure('run a transaction', thrown, watched.done ? 'unknown' : 'not-executed')
    }
  }

  lockCheckpoint(tx: unknown, name: string, epoch?: number): MaybePromise<Checkpoint | undefined> {
    this.#door.mustBeOpen('lockCheckpoint')
    checkText('lockCheckpoint', 'name', name)
    checkOptionalWhole('lockCheckpoint', 'epoch', epoch, 1)
    return this.#door.run(
      'lockCheckpoint',
      () => this.#projections.lockCheckpoint(tx, name, epoch),
      (checkpoint) => checkpoint === undefined || (isRecord(checkpoint) && checkpoint.name === name),
    )
  }

  saveCheckpoint(tx: unknown, checkpoint: Checkpoint): MaybePromise<boolean> {
    this.#door.mustBeOpen('saveCheckpoint')
    checkPlace('saveCheckpoint', checkpoint)
    return this.#door.run(
      'saveCheckpoint',
      () => this.#projections.saveCheckpoint(tx, checkpoint),
      (saved) => typeof saved === 'boolean',
    )
  }

  deleteCheckpoint(tx: unknown, name: string): MaybePromise<void> {
    this.#door.mustBeOpen('deleteCheckpoint')
    checkText('deleteCheckpoint', 'name', name)
    return this.#door.run('deleteCheckpoint', () => this.#projections.deleteCheckpoint(tx, name))
  }

  execute(tx: unknown, sql: string): MaybePromise<void> {
    this.#door.mustBeOpen('execute')
    if (typeof sql !== 'string') throw new InvalidOptionError(`execute: sql must be a string, not ${shown(sql)}`)
    return this.#door.run('execute', () => this.#projections.execute(tx, sql))
  }

  readPublication(tx: unknown, name: string): MaybePromise<Publication | undefined> {
    this.#door.mustBeOpen('readPublication')
    checkText('readPublication', 'name', name)
    return this.#door.run(
      'readPublication',
      () => this.#projections.readPublication(tx, name),
      (publication) => publication === undefined || (isRecord(publication) && publication.name === name),
    )
  }

  findPublications(tx: unknown, views: readonly string[]): MaybePromise<readonly Publication[]> {
    this.#door.mustBeOpen('findPublications')
    checkTexts('findPublications', 'views', views)
    return this.#door.run(
      'findPublications',
      () => this.#projections.findPublications(tx, views),
      (found) => Array.isArray(found),
    )
  }

  publish(tx: unknown, publication: Publication): MaybePromise<void> {
    this.#door.mustBeOpen('publish')
    checkObject('publish', 'the publication', publication)
    checkText('publish', 'name', publication.name)
    checkWhole('publish', 'version', publication.version, 0)
    checkWhole('publish', 'generation', publication.generation, 1)
    checkObject('publish', 'tables', publication.tables)
    for (const [view, table] of Object.entries(publication.tables)) {
      checkText('publish', 'the name of a table', view)
      checkText('publish', `the table of ${view}`, table)
    }
    return this.#door.run('publish', () => this.#projections.publish(tx, publication))
  }

  unpublish(tx: unknown, name: string): MaybePromise<void> {
    this.#door.mustBeOpen('unpublish')
    checkText('unpublish', 'name', name)
    return this.#door.run('unpublish', () => this.#projections.unpublish(tx, name))
  }

  dropTables(tx: unknown, tables: readonly string[]): MaybePromise<void> {
    this.#door.mustBeOpen('dropTables')
    checkTexts('dropTables', 'tables', tables)
    return this.#door.run('dropTables', () => this.#projections.dropTables(tx, tables))
  }
}

function checkTexts(where: string, what: string, names: unknown): void {
  if (!Array.isArray(names)) {
    throw new InvalidOptionError(`${where}: a list of ${what} is needed, not ${shown(names)}`)
  }
  for (const name of names as readonly unknown[]) checkText(where, `a name in the list of ${what}`, name)
}

/** The user's work in a transaction: what it throws is the user's, and goes through to them as it is. */
class WatchedWork<Result> {
  done = false
  readonly #work: (tx: unknown) => MaybePromise<Result>
  #thrown: { readonly value: unknown } | undefined

  constructor(work: (tx: unknown) => MaybePromise<Result>) {
    this.#work = work
  }

  threw(thrown: unknown): boolean {
    return this.#thrown !== undefined && this.#thrown.value === thrown
  }

  /** Stays synchronous where the work is, so that a driver that cannot wait need not. */
  run(tx: unknown): MaybePromise<Result> {
    this.done = false
    let result: MaybePromise<Result>
    try {
      result = this.#work(tx)
    } catch (thrown) {
      throw this.#note(thrown)
    }
    if (!isPromiseLike(result)) return this.#end(result)
    return result.then(
      (settled) => this.#end(settled),
      (thrown: unknown) => {
        throw this.#note(thrown)
      },
    )
  }

  #end(result: Result): Result {
    this.done = true
    return result
  }

  #note(thrown: unknown): unknown {
    this.#thrown = { value: thrown }
    return thrown
  }
}
