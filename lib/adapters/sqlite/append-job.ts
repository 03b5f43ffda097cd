import type { EdictError } from '../../errors.ts'
import type { AppendOptions, StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import type { Appender } from './appender.ts'
import type { WriteJob } from './write-job.ts'

/** One call of append, on its way through the write lane. */
export class AppendJob implements WriteJob {
  readonly weight: number
  readonly answer: Promise<readonly StreamAppendResult[]>
  alone?: boolean
  waitingSince?: number
  readonly #writer: { readonly appender: Appender }
  readonly #streams: readonly StreamAppend[]
  readonly #atomic: boolean
  #results: readonly StreamAppendResult[] = []
  #resolve!: (results: readonly StreamAppendResult[]) => void
  #reject!: (error: EdictError) => void

  constructor(
    writer: { readonly appender: Appender },
    streams: readonly StreamAppend[],
    options: AppendOptions | undefined,
  ) {
    this.#writer = writer
    this.#streams = streams
    this.#atomic = options?.atomic === true
    this.weight = streams.reduce((sum, { events }) => sum + events.length, 0)
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  run(): void {
    this.#results = this.#writer.appender.append(this.#streams, this.#atomic)
  }

  committed(): void {
    this.#resolve(this.#results)
  }

  failed(error: EdictError): void {
    this.#reject(error)
  }
}
