import { setImmediate } from 'node:timers'
import type { ReadStreamOptions, StreamSlice } from '../../event-store/event-store.ts'
import type { Database, Queries } from './database.ts'
import type { EventReader, StreamRead } from './event-reader.ts'
import { isConnectionLost } from './failure.ts'

/** More than this go in several statements at once: long streams are to be read by several connections. */
const MOST_STREAMS = 16

interface WaitingRead extends StreamRead {
  readonly resolve: (slice: StreamSlice) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Reads streams, those that are asked for in one turn of the event loop together: after a batch of appends all that met a conflict
 * read what they have missed, and an application that starts loads many aggregates. A statement of its own costs the server ten times
 * what it takes to read one event of one stream more.
 */
export class StreamReads {
  readonly #reader: EventReader
  readonly #queries: Queries
  #waiting: WaitingRead[] = []

  constructor(database: Pick<Database, 'read'>, reader: EventReader) {
    this.#reader = reader
    this.#queries = { query: (text, values) => database.read(text, values) }
  }

  read(streamId: string, options: ReadStreamOptions = {}): Promise<StreamSlice> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ streamId, options, resolve, reject })
      if (this.#waiting.length === 1) setImmediate(() => this.flush())
    })
  }

  /** Sends what waits: to be called before the connections are closed. */
  flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    const together = waiting.filter(({ options }) => options.direction !== 'backward')
    for (const read of waiting) if (read.options.direction === 'backward') void this.#alone(read)
    for (let start = 0; start < together.length; start += MOST_STREAMS) {
      void this.#together(together.slice(start, start + MOST_STREAMS))
    }
  }

  async #together(reads: readonly WaitingRead[]): Promise<void> {
    const [only] = reads
    if (reads.length === 1 && only !== undefined) return this.#alone(only)
    let slices: readonly (() => StreamSlice)[]
    try {
      slices = await this.#reader.readStreams(this.#queries, reads)
    } catch (thrown) {
      if (isConnectionLost(thrown)) for (const { reject } of reads) reject(thrown)
      // What is too much in all, say for the time that a statement has, need not be for each.
      else for (const read of reads) void this.#alone(read)
      return
    }
    // There is one for each read.
    for (const [index, read] of reads.entries()) answer(read, slices[index] as () => StreamSlice)
  }

  async #alone(read: WaitingRead): Promise<void> {
    try {
      read.resolve(await this.#reader.readStream(this.#queries, read.streamId, read.options))
    } catch (thrown) {
      read.reject(thrown)
    }
  }
}

function answer({ resolve, reject }: WaitingRead, slice: () => StreamSlice): void {
  try {
    resolve(slice())
  } catch (thrown) {
    reject(thrown)
  }
}
