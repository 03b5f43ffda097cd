import { setImmediate } from 'node:timers'
import { StoreError } from '../../errors.ts'
import type { StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import { AppendBatch, type AppendCall, type BatchResult } from './append-batch.ts'
import { APPEND_ONE_SQL, appendOneAnswer, appendOneParameters } from './append-one.ts'
import type { Database, Parameter, Row } from './database.ts'
import type { EventReader } from './event-reader.ts'
import { isConnectionLost, isRefusedValue, isTransient, storeFailure } from './failure.ts'
import { Lane } from './lane.ts'
import { withoutRepeats, withRepeats } from './repeats.ts'
import type { SchemaName } from './schema-name.ts'

const MOST_STREAMS = 512
const MOST_CHARACTERS = 4_000_000
/** How often a batch is tried that was in the way of another transaction. */
const MOST_TRIES = 5

interface WaitingCall extends AppendCall {
  readonly resolve: (results: readonly StreamAppendResult[]) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Group commit: a call that finds nothing under way goes at once; those that come while a batch is under way go together as the
 * next, in one statement and one commit.
 */
export class Appender {
  readonly #database: Database
  readonly #reader: EventReader
  readonly #sql: string
  readonly #sqlOfOne: string
  readonly #lane: Lane
  readonly #appended: (headPosition: number) => void
  #waiting: WaitingCall[] = []
  #underWay = false
  readonly #idle: (() => void)[] = []

  constructor(database: Database, reader: EventReader, schema: SchemaName, appended: (headPosition: number) => void) {
    this.#database = database
    this.#reader = reader
    this.#sql = schema.sql(AppendBatch.sql)
    this.#sqlOfOne = schema.sql(APPEND_ONE_SQL)
    this.#lane = new Lane(database)
    this.#appended = appended
  }

  append(call: AppendCall): Promise<readonly StreamAppendResult[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...call, resolve, reject })
      if (!this.#underWay) this.#sendNext()
    })
  }

  /** Resolves when every call has been answered, and the connection is given back. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#underWay) this.#idle.push(resolve)
      else resolve()
    })
    this.#lane.close()
  }

  #sendNext(): void {
    if (this.#waiting.length === 0) {
      this.#underWay = false
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    this.#underWay = true
    void this.#send(this.#takeBatch()).then(() => {
      // Those who were answered just now get a turn of the event loop to come again, so that they go with the next batch.
      setImmediate(() => this.#sendNext())
    })
  }

  /** No stream stands twice in a batch, and none is overtaken by a later call for it. */
  #takeBatch(): WaitingCall[] {
    const [only] = this.#waiting
    if (this.#waiting.length === 1 && only !== undefined) {
      this.#waiting = []
      return [only]
    }
    const taken: WaitingCall[] = []
    const left: WaitingCall[] = []
    const seen = new Set<string>()
    let characters = 0
    for (const call of this.#waiting) {
      const free = call.streams.every(({ streamId }) => !seen.has(streamId))
      for (const { streamId } of call.streams) seen.add(streamId)
      const fits = taken.length === 0 || (seen.size <= MOST_STREAMS && characters <= MOST_CHARACTERS)
      if (free && fits) {
        taken.push(call)
        characters += charactersOf(call.streams)
      } else left.push(call)
    }
    this.#waiting = left
    return taken
  }

  /** Never rejects: each call is told what became of it. */
  async #send(calls: readonly WaitingCall[]): Promise<void> {
    try {
      const results = await this.#try(calls)
      for (const [index, call] of calls.entries()) this.#answer(call, results[index] as readonly BatchResult[])
    } catch (thrown) {
      if (calls.length > 1 && thrown instanceof StoreError && isRefusedValue(thrown.cause)) {
        for (const call of calls) await this.#send([call])
        return
      }
      for (const call of calls) call.reject(thrown)
    }
  }

  async #try(calls: readonly WaitingCall[]): Promise<readonly (readonly BatchResult[])[]> {
    const [only] = calls
    if (calls.length === 1 && only !== undefined) {
      const parameters = appendOneParameters(only)
      const result = parameters && appendOneAnswer((await this.#query(this.#sqlOfOne, parameters))[0])
      if (result !== undefined) {
        this.#appended(result.firstPosition)
        return [[result]]
      }
    }
    const batch = new AppendBatch(calls)
    const [row] = await this.#query(this.#sql, batch.parameters(null))
    const { results, headPosition } = batch.answer(row)
    if (headPosition > 0) this.#appended(headPosition)
    return results
  }

  async #query(text: string, parameters: readonly Parameter[]): Promise<readonly Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#lane.query(text, parameters)
      } catch (thrown) {
        if (isTransient(thrown) && tries < MOST_TRIES) continue
        throw storeFailure('append', thrown, isConnectionLost(thrown) ? 'unknown' : 'not-executed')
      }
    }
  }

  #answer(call: WaitingCall, results: readonly BatchResult[]): void {
    if (withoutRepeats(results)) call.resolve(results)
    else withRepeats(this.#reader, this.#database, call, results).then(call.resolve, call.reject)
  }
}

function charactersOf(streams: readonly StreamAppend[]): number {
  let characters = 0
  for (const { events } of streams) {
    for (const { data } of events) characters += (data as string | Uint8Array).length + 500
  }
  return characters
}
