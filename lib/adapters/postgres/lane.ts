import type { PoolClient } from 'pg'
import { queryOn, type Database, type Parameter, type Queries, type Row } from './database.ts'

/** Milliseconds without work after which the connection goes back to the others. */
const IDLE_MS = 100

/**
 * Statements one after another on a connection that is kept from one to the next: to get one of the pool and to give it back costs
 * nearly as much as to append an event.
 */
export class Lane implements Queries {
  readonly #database: Database
  #client: PoolClient | undefined
  #idle: NodeJS.Timeout | undefined
  #busy = false

  constructor(database: Database) {
    this.#database = database
  }

  /** To be called again when the statement before is done. */
  async query(text: string, values?: readonly Parameter[]): Promise<readonly Row[]> {
    const client = this.#client ?? (await this.#take())
    this.#busy = true
    try {
      return await this.#database.bounded(
        () => queryOn(client, text, values),
        () => this.#drop(client),
      )
    } finally {
      this.#busy = false
      this.#idle?.refresh()
    }
  }

  /** To be called after statements that belong together: between them nobody else is to get the connection. */
  rest(): void {
    if (this.#database.isWanted) this.#giveBack()
  }

  async #take(): Promise<PoolClient> {
    const client = await this.#database.connection()
    this.#client = client
    this.#idle = setTimeout(() => {
      if (this.#busy) this.#idle?.refresh()
      else this.#giveBack()
    }, IDLE_MS)
    // Between two statements nobody else would notice that it is gone.
    client.on('error', this.#lost)
    client.on('end', this.#lost)
    return client
  }

  readonly #lost = () => this.#release(true)

  #drop(client: PoolClient): void {
    if (this.#client === client) this.#release(true)
  }

  #giveBack(): void {
    if (this.#client !== undefined && !this.#busy) this.#release(false)
  }

  #release(broken: boolean): void {
    clearTimeout(this.#idle)
    const client = this.#client
    if (client === undefined) return
    this.#client = undefined
    client.off('error', this.#lost)
    client.off('end', this.#lost)
    client.release(broken)
  }

  close(): void {
    this.#giveBack()
  }
}
