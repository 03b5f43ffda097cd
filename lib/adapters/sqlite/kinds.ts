import type BetterSqlite3 from 'better-sqlite3'
import { StoreError } from '../../errors.ts'
import type { NewEvent } from '../../event-store/stored-event.ts'
import type { Database } from './driver.ts'

/** What many events have in common. */
export interface Kind {
  readonly category: string
  readonly type: string
  readonly schemaVersion: number
  readonly contentType: string
}

/** Kinds are few; where somebody makes a type for each event, no more than this many stay in memory. */
const MOST_KEPT = 10_000

/** The numbers of kinds, for one connection: to be found, or made, within its transactions. */
export class KindNumbers {
  readonly #find: BetterSqlite3.Statement<unknown[], number>
  readonly #make: BetterSqlite3.Statement
  readonly #numbers = new Map<string, number>()
  #last: Kind | undefined
  #lastNumber = 0

  constructor(database: Database) {
    const columns = 'category = ? AND type = ? AND schema_version = ? AND content_type = ?'
    this.#find = database.prepare<unknown[], number>(`SELECT id FROM edict_kinds WHERE ${columns}`).pluck()
    this.#make = database.prepare(
      'INSERT INTO edict_kinds (category, type, schema_version, content_type) VALUES (?, ?, ?, ?)',
    )
  }

  numberOf(category: string, { type, schemaVersion, contentType }: NewEvent): number {
    const last = this.#last
    if (
      last?.type === type &&
      last.category === category &&
      last.schemaVersion === schemaVersion &&
      last.contentType === contentType
    ) {
      return this.#lastNumber
    }
    const key = `${category}\0${type}\0${schemaVersion}\0${contentType}`
    const number = this.#numbers.get(key) ?? this.#fetch(key, [category, type, schemaVersion, contentType])
    this.#last = { category, type, schemaVersion, contentType }
    this.#lastNumber = number
    return number
  }

  #fetch(key: string, kind: readonly [string, string, number, string]): number {
    const number = this.#find.get(...kind) ?? Number(this.#make.run(...kind).lastInsertRowid)
    if (this.#numbers.size >= MOST_KEPT) this.#numbers.clear()
    this.#numbers.set(key, number)
    return number
  }

  /** A number that was made in a transaction that is rolled back is nobody's. */
  forget(): void {
    this.#numbers.clear()
    this.#last = undefined
  }
}

/** What numbers of kinds stand for: once committed, a kind never changes. */
export class Kinds {
  readonly #read: BetterSqlite3.Statement<[number], Kind>
  readonly #kinds = new Map<number, Kind>()

  constructor(database: Database) {
    this.#read = database.prepare<[number], Kind>(
      'SELECT category, type, schema_version AS schemaVersion, content_type AS contentType FROM edict_kinds WHERE id = ?',
    )
  }

  at(number: number): Kind {
    return this.#kinds.get(number) ?? this.#fetch(number)
  }

  #fetch(number: number): Kind {
    const kind = this.#read.get(number)
    if (kind === undefined)
      throw new StoreError(`the sqlite event store lacks the kind of event ${number}: it is damaged`)
    if (this.#kinds.size >= MOST_KEPT) this.#kinds.clear()
    this.#kinds.set(number, kind)
    return kind
  }

  /** See KindNumbers: on the writing connection, reads may see what is rolled back later. */
  forget(): void {
    this.#kinds.clear()
  }
}
