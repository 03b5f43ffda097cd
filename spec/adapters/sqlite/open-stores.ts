import { afterEach } from '@jest/globals'
import { NotRunningError } from 'edict'
import { sqliteEventStore, type SqliteEventStoreOptions } from 'edict/sqlite'
import Database from 'better-sqlite3'
import type { EventStore } from '../../../lib/event-store/event-store.ts'
import { temporaryFile, type TemporaryFile } from './temporary-file.ts'

/** What one test opens, which is closed and removed after it. */
export class OpenStores {
  readonly #cleanUps: (() => unknown)[] = []

  constructor() {
    afterEach(async () => {
      for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp()
    })
  }

  file(): TemporaryFile {
    const file = temporaryFile()
    this.#cleanUps.push(file.remove)
    return file
  }

  async open(path = this.file().path, options: SqliteEventStoreOptions = {}): Promise<EventStore> {
    const store = sqliteEventStore(path, options)
    await store.open()
    this.#cleanUps.push(() => closeUnlessClosed(store))
    return store
  }

  /** A look at the file past the store. */
  connect(path: string): Database.Database {
    const database = new Database(path)
    this.#cleanUps.push(() => database.close())
    return database
  }
}

/** A test may have closed it by itself. */
async function closeUnlessClosed(store: EventStore): Promise<void> {
  try {
    await store.close()
  } catch (thrown) {
    if (!(thrown instanceof NotRunningError)) throw thrown
  }
}
