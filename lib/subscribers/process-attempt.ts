import { callLater, type Clock } from '../effects/clock.ts'
import { EventTimeoutError } from '../errors.ts'

/** One attempt to handle an event, which may run out of its time; whatever goes on of it then comes to nothing. */
export class ProcessAttempt {
  readonly number: number
  #isOver = false
  readonly #signal: AbortSignal
  #controller: AbortController | undefined
  #cancel: (() => void) | undefined
  #restart: (() => void) | undefined

  constructor(number: number, signal: AbortSignal) {
    this.number = number
    this.#signal = signal
  }

  /** For what user code begins: aborts at the end of the time, too. */
  get signal(): AbortSignal {
    return this.#controller === undefined ? this.#signal : AbortSignal.any([this.#signal, this.#controller.signal])
  }

  /** For the commands, which a stop does not abort; undefined where the time has no end. */
  get timeSignal(): AbortSignal | undefined {
    return this.#controller?.signal
  }

  /** Whether it ran out of its time. A function, since it may be so at any moment. */
  isOver(): boolean {
    return this.#isOver
  }

  /** What some work gives; rejects where that takes longer than so many milliseconds, pauses not counted. */
  within<Value>(clock: Clock, timeout: number, what: string, work: () => Promise<Value>): Promise<Value> {
    const controller = (this.#controller = new AbortController())
    return new Promise((resolve, reject) => {
      this.#restart = () => {
        this.#cancel = callLater(clock, timeout, () => {
          this.#isOver = true
          const error = new EventTimeoutError(what, timeout)
          controller.abort(error)
          reject(error)
        })
      }
      this.goOn()
      work().then(resolve, reject)
    }).finally(() => {
      this.pause()
    }) as Promise<Value>
  }

  /** The time stands still, while there is a decision or a wait of ours. */
  pause(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** The time begins anew. */
  goOn(): void {
    this.pause()
    this.#restart?.()
  }
}
