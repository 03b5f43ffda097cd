import { describeThrown, StoreError } from '../../errors.ts'
import type { StreamAppendResult } from '../../event-store/event-store.ts'
import { AppendBatch, type AppendCall, type BatchResult } from './append-batch.ts'
import { APPEND_ONE_SQL, appendOneAnswer, appendOneParameters } from './append-one.ts'
import { CommitTurns } from './commit-turns.ts'
import type { Database, Parameter, Queries, Row } from './database.ts'
import type { EventReader } from './event-reader.ts'
import { isConnectionLost, isRefusedValue, isTransient, storeFailure } from './failure.ts'
import { Lane } from './lane.ts'
import { repeatUnread, withoutRepeats, withRepeats } from './repeats.ts'
import type { SchemaName } from './schema-name.ts'
import { splitBatch } from './split-batch.ts'

/** How often a batch is tried that was in the way of another transaction. */
const MOST_TRIES = 5

interface WaitingCall extends AppendCall {
  readonly resolve: (results: readonly StreamAppendResult[]) => void
  readonly reject: (reason: unknown) => void
}

/** Appends, by group commit. */
export class Appender {
  readonly #database: Database
  readonly #reader: EventReader
  readonly #sql: string
  readonly #sqlOfOne: string
  readonly #lane: Lane
  readonly #appended: (headPosition: number) => void
  #waiting: WaitingCall[] = []
  readonly #turns: CommitTurns
  /** Reads of what was repeated, whose callers still wait. */
  readonly #readings = new Set<Promise<void>>()

  constructor(database: Database, reader: EventReader, schema: SchemaName, appended: (headPosition: number) => void) {
    this.#database = database
    this.#reader = reader
    this.#sql = schema.sql(AppendBatch.sql)
    this.#sqlOfOne = schema.sql(APPEND_ONE_SQL)
    this.#lane = new Lane(database)
    this.#appended = appended
    this.#turns = new CommitTurns({
      waiting: () => this.#waiting.length,
      send: () => this.#send(this.#takeBatch()),
    })
  }

  append(call: AppendCall): Promise<readonly StreamAppendResult[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...call, resolve, reject })
      this.#turns.come()
    })
  }

  /** Resolves when every call has been answered, and the connection is given back. */
  async close(): Promise<void> {
    await this.#turns.idle()
    await Promise.all(this.#readings)
    this.#lane.close()
  }

  #takeBatch(): WaitingCall[] {
    const { taken, left } = splitBatch(this.#waiting)
    this.#waiting = left
    return taken
  }

  /** Never rejects: gives what tells each call what became of it. */
  async #send(calls: readonly WaitingCall[]): Promise<readonly (() => void)[]> {
    let results: readonly (readonly BatchResult[])[]
    try {
      results = await this.#try(calls)
    } catch (thrown) {
      if (calls.length === 1 || !isOfOneCall(thrown)) return calls.map((call) => () => call.reject(thrown))
      const answers: (() => void)[] = []
      for (const call of calls) answers.push(...(await this.#send([call])))
      return answers
    } finally {
      this.#lane.rest()
    }
    // It is committed: from here on nothing may be sent again, and what fails for one call fails for no other.
    return calls.map((call, index) => () => {
      this.#answer(call, results[index] as readonly BatchResult[])
    })
  }

  async #try(calls: readonly WaitingCall[]): Promise<readonly (readonly BatchResult[])[]> {
    const [only] = calls
    if (calls.length === 1 && only !== undefined) {
      const parameters = encoded(() => appendOneParameters(only))
      const result = parameters && appendOneAnswer((await this.#query(this.#sqlOfOne, parameters))[0])
      if (result !== undefined) {
        this.#appended(result.firstPosition)
        return [[result]]
      }
    }
    const batch = new AppendBatch(calls)
    const [row] = await this.#query(
      this.#sql,
      encoded(() => batch.parameters(null)),
    )
    const { results, headPosition } = batch.answer(row)
    if (headPosition > 0) this.#appended(headPosition)
    return results
  }

  #answer(call: WaitingCall, results: readonly BatchResult[]): void {
    if (withoutRepeats(results)) {
      call.resolve(results)
      return
    }
    const reading = this.#readRepeats(call, results).finally(() => this.#readings.delete(reading))
    this.#readings.add(reading)
  }

  async #readRepeats(call: WaitingCall, results: readonly BatchResult[]): Promise<void> {
    const queries: Queries = { query: (text, values) => this.#database.read(text, values) }
    try {
      call.resolve(await withRepeats(this.#reader, queries, call, results))
    } catch (thrown) {
      call.reject(repeatUnread(thrown, results))
    }
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
}

/** Whether a failure is that of one call in a batch, so that the others may still go through. */
function isOfOneCall(thrown: unknown): boolean {
  return thrown instanceof StoreError && (thrown.cause instanceof CannotEncode || isRefusedValue(thrown.cause))
}

/** What is not JSON, say, though nothing before has noticed. */
class CannotEncode extends Error {}

function encoded<Parameters>(encode: () => Parameters): Parameters {
  try {
    return encode()
  } catch (cause) {
    throw storeFailure('append', new CannotEncode(`an event cannot be encoded: ${describeThrown(cause)}`, { cause }))
  }
}
