import type { Pool, PoolClient, PoolConfig } from 'pg'
import { StoreError } from '../../errors.ts'
import type { CheckedOptions } from './options.ts'
import type { WatchedConnection } from './connection-end.ts'
import { loadDriver, type Driver } from './driver.ts'
import { isConnectionLost, sqlState, storeFailure } from './failure.ts'

/** A row as PostgreSQL wrote it: its columns in order, each in text. */
export type Row = readonly (string | null)[]

/** A parameter of a statement: PostgreSQL knows of which type each is. */
export type Parameter = string | number | boolean | null

/** Whatever runs a statement: a pool, or one connection in the middle of a transaction. */
export interface Queries {
  /** The rows, each an array of texts. */
  query(text: string, values?: readonly Parameter[]): Promise<readonly Row[]>
}

/** Something of `pg` that has a connection. */
export interface QueriedClient {
  query(config: {
    text: string
    values: unknown[]
    rowMode: 'array'
    types: { getTypeParser: () => (value: string) => string }
  }): Promise<{ readonly rows: unknown[] }>
}

// Given with each statement, so that whatever parsers an application has set for all of `pg` change nothing here, nor these
// anything there. What is a number is made one where it is read, which is quicker than a parser for each column.
const AS_TEXT = { getTypeParser: () => (value: string) => value }

/** Milliseconds beyond the server's own limit, after which a connection that says nothing is given up. */
export const GRACE_MS = 2_000
/** Milliseconds that a close waits for transactions of somebody's own, before it ends them. */
const CLOSE_PATIENCE_MS = 5_000

/** Runs a statement on a connection; rows are arrays of texts. */
export async function queryOn(
  client: QueriedClient,
  text: string,
  values: readonly Parameter[] = [],
): Promise<readonly Row[]> {
  const { rows } = await client.query({ text, values: [...values], rowMode: 'array', types: AS_TEXT })
  // With `rowMode: 'array'` and these parsers each row is an array of texts.
  return rows as Row[]
}

/** The connections of one store that is open. */
export class Database implements Queries {
  readonly driver: Driver
  /** Milliseconds. */
  readonly statementTimeout: number
  /** In which somebody's own work goes on, for as long as it likes. */
  readonly transactions = new Set<WatchedConnection>()
  readonly #pool: Pool
  readonly #deadline: number

  private constructor(driver: Driver, config: PoolConfig, statementTimeout: number) {
    this.driver = driver
    this.statementTimeout = statementTimeout
    this.#deadline = statementTimeout + GRACE_MS
    this.#pool = new driver.Pool(config)
    // Whatever happens to a connection, whoever uses it is told by the rejection of the statement.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
  }

  /** @throws {MissingDriverError} `missing_driver`; StoreError `store_failed` where there is no connection to be had */
  static async connect({ pool, statementTimeout }: CheckedOptions): Promise<Database> {
    const driver = await loadDriver()
    const limited = new Database(driver, { ...pool, statement_timeout: statementTimeout }, statementTimeout)
    try {
      await limited.query('SELECT 1')
      return limited
    } catch (thrown) {
      await limited.close()
      if (!(thrown instanceof StoreError && refusesParameter(thrown.cause))) throw thrown
    }
    // A pooler in transaction mode takes no settings of a session. There the limit is the role's, and this side's own.
    const plain = new Database(driver, pool, statementTimeout)
    try {
      await plain.query('SELECT 1')
      return plain
    } catch (thrown) {
      await plain.close()
      throw thrown
    }
  }

  /**
   * Runs one statement in a transaction of its own. Rejects as `pg` does where the statement fails, and with a StoreError where there
   * is no connection to be had, so that nothing was sent.
   */
  async query(text: string, values?: readonly Parameter[]): Promise<readonly Row[]> {
    const client = await this.connection()
    let released = false
    const release = (broken: boolean) => {
      if (released) return
      released = true
      client.release(broken)
    }
    try {
      return await this.bounded(
        () => queryOn(client, text, values),
        () => release(true),
      )
    } finally {
      release(false)
    }
  }

  /** Runs a statement that may be run twice: once more where the connection was lost, as after a restart of the server. */
  async read(text: string, values?: readonly Parameter[]): Promise<readonly Row[]> {
    try {
      return await this.query(text, values)
    } catch (thrown) {
      if (!isConnectionLost(thrown)) throw thrown
      return this.query(text, values)
    }
  }

  /** A connection, to be given back by `release(true)` where it is not to be used again. */
  async connection(): Promise<PoolClient> {
    try {
      return await this.#pool.connect()
    } catch (thrown) {
      throw storeFailure('connect', thrown)
    }
  }

  /** Whether somebody waits for a connection. */
  get isWanted(): boolean {
    return this.#pool.waitingCount > 0
  }

  /**
   * Does something on a connection, which is to be let go of by `drop` where it does not answer in time: what it was asked is then
   * rejected. `drop` is also called where the connection turns out to be lost.
   */
  async bounded<Result>(work: () => Promise<Result>, drop: () => void): Promise<Result> {
    const timer = setTimeout(drop, this.#deadline)
    try {
      return await work()
    } catch (thrown) {
      if (isConnectionLost(thrown)) drop()
      throw thrown
    } finally {
      clearTimeout(timer)
    }
  }

  /** Waits until all connections are given back; for transactions of somebody's own for so long only. */
  async close(): Promise<void> {
    const timer = setTimeout(() => {
      const reason = new Error(
        `it did not end within ${CLOSE_PATIENCE_MS} ms of the store's close, and was rolled back`,
      )
      for (const transaction of this.transactions) transaction.end(reason)
    }, CLOSE_PATIENCE_MS)
    try {
      await this.#pool.end()
    } finally {
      clearTimeout(timer)
    }
  }
}

function refusesParameter(thrown: unknown): boolean {
  return sqlState(thrown) === '08P01' && thrown instanceof Error && thrown.message.includes('startup parameter')
}
