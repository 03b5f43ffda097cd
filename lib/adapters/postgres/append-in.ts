import type { ClientBase } from 'pg'
import { AppendLockTimeoutError, InvalidOptionError, type EdictError } from '../../errors.ts'
import { AppendChecks } from '../../event-store/append-checks.ts'
import { checkObject, checkOptionalWhole, checkOptions } from '../../event-store/argument-checks.ts'
import type { EventStoreCapabilities, StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import { AppendBatch } from './append-batch.ts'
import { queryOn, type Queries } from './database.ts'
import type { EventReader } from './event-reader.ts'
import { isConnectionLost, sqlState, storeFailure } from './failure.ts'
import type { SchemaName } from './schema-name.ts'
import { withRepeats } from './repeats.ts'

/** How an append within somebody's own transaction is made. */
export interface AppendInOptions {
  /** Milliseconds to wait for other appends, before it fails with `append_lock_timeout`. @default 1_000 */
  readonly lockTimeout?: number
}

const WHERE = 'appendIn'
const DEFAULT_LOCK_TIMEOUT_MS = 1_000

/** Appends within a transaction that somebody else began and ends. */
export class AppenderIn {
  readonly #reader: EventReader
  readonly #schema: SchemaName
  readonly #checks: AppendChecks

  constructor(reader: EventReader, schema: SchemaName, capabilities: EventStoreCapabilities) {
    this.#reader = reader
    this.#schema = schema
    this.#checks = new AppendChecks('postgres', capabilities)
  }

  async append(
    client: ClientBase,
    streams: readonly StreamAppend[],
    options: AppendInOptions = {},
  ): Promise<readonly StreamAppendResult[]> {
    checkObject(WHERE, 'the client', client)
    checkOptions(WHERE, options, ['lockTimeout'])
    const { lockTimeout = DEFAULT_LOCK_TIMEOUT_MS } = options
    checkOptionalWhole(WHERE, 'lockTimeout', lockTimeout, 1)
    this.#checks.check(streams, { atomic: true })
    const queries: Queries = { query: (text, values) => queryOn(client, text, values) }
    await beginPart(queries)
    try {
      const waited = await settings(queries)
      await queries.query("SELECT set_config('lock_timeout', $1, true)", [`${lockTimeout}ms`])
      const results = await this.#append(queries, streams)
      await queries.query("SELECT set_config('lock_timeout', $1, true)", [waited])
      await queries.query('RELEASE SAVEPOINT edict_append')
      return results
    } catch (thrown) {
      if (!isConnectionLost(thrown) || thrown instanceof InvalidOptionError) await endPart(queries)
      throw failureOf(thrown, lockTimeout)
    }
  }

  async #append(queries: Queries, streams: readonly StreamAppend[]): Promise<readonly StreamAppendResult[]> {
    const call = { streams, atomic: streams.length > 1 }
    const batch = new AppendBatch([call])
    const [row] = await queries.query(this.#schema.sql(AppendBatch.sql), batch.parameters(this.#schema.channel))
    const [results = []] = batch.answer(row).results
    return withRepeats(this.#reader, queries, call, results)
  }
}

/** Only within a transaction can there be a part of one: so this tells whether there is one. */
async function beginPart(queries: Queries): Promise<void> {
  try {
    await queries.query('SAVEPOINT edict_append')
  } catch (thrown) {
    if (sqlState(thrown) === '25P01') {
      throw new InvalidOptionError(`${WHERE}: the client is not in a transaction: begin one first`)
    }
    throw storeFailure('append', thrown)
  }
}

async function endPart(queries: Queries): Promise<void> {
  try {
    await queries.query('ROLLBACK TO SAVEPOINT edict_append')
    await queries.query('RELEASE SAVEPOINT edict_append')
  } catch {
    // What went wrong first is told.
  }
}

/** @returns the lock_timeout as it was */
async function settings(queries: Queries): Promise<string> {
  const [row] = await queries.query("SELECT current_setting('transaction_isolation'), current_setting('lock_timeout')")
  const [isolation, lockTimeout] = row as readonly string[]
  if (isolation !== 'read committed') {
    throw new InvalidOptionError(
      `${WHERE}: the transaction must be READ COMMITTED, not ${String(isolation).toUpperCase()}: its older snapshot would miss what others appended`,
    )
  }
  return lockTimeout as string
}

function failureOf(thrown: unknown, lockTimeout: number): EdictError {
  const state = sqlState(thrown)
  if (state === '55P03' || state === '40P01') {
    const why =
      state === '55P03' ? `waited ${lockTimeout} ms for other appends` : 'and another transaction waited for each other'
    return new AppendLockTimeoutError(
      `the append in a transaction ${why}, and wrote nothing: roll back, and try again; let it be the last statement of its transaction`,
      { cause: thrown },
    )
  }
  return storeFailure('append', thrown)
}
