import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { describeThrown, EdictError, InvalidOptionError, NotRunningError, StoreError, type Outcome } from '../errors.ts'
import { shown } from './argument-checks.ts'
import type { EventStore } from './event-store.ts'

/**
 * The way into an adapter: it counts who has opened the store, lets nobody through while it is closed, and turns what an adapter
 * throws into an error of the catalogue.
 */
export class StoreDoor {
  /** How many opens have not been paired with a close. */
  opens = 0
  readonly #adapter: EventStore
  /** An open or a close that is under way; the next one waits for it. */
  #changing: PromiseLike<void> | undefined

  constructor(adapter: EventStore) {
    this.#adapter = adapter
  }

  open(): MaybePromise<void> {
    if (this.#changing) return after(this.#changing, () => this.open())
    if (this.opens > 0) {
      this.opens++
      return
    }
    const opening = this.run('open', () => this.#adapter.open())
    if (!isPromiseLike(opening)) {
      this.opens = 1
      return
    }
    return this.#change(opening.then(() => void (this.opens = 1)))
  }

  close(): MaybePromise<void> {
    if (this.#changing) return after(this.#changing, () => this.close())
    this.mustBeOpen('close')
    this.opens--
    if (this.opens > 0) return
    const closing = this.run('close', () => this.#adapter.close())
    return isPromiseLike(closing) ? this.#change(closing) : undefined
  }

  #change(change: PromiseLike<void>): PromiseLike<void> {
    const changed = () => void (this.#changing = undefined)
    this.#changing = change.then(changed, (thrown: unknown) => {
      changed()
      throw thrown
    })
    return this.#changing
  }

  /** @throws {NotRunningError} `not_running` */
  mustBeOpen(operation: string): void {
    if (this.opens > 0) return
    throw new NotRunningError(`${operation}: the ${this.#adapter.name} event store is not open; call open() first`)
  }

  /** Calls the adapter; what it throws, at once or later, becomes an error of the catalogue. */
  run<Answer>(
    operation: string,
    call: () => MaybePromise<Answer>,
    makesSense: (answer: Answer) => boolean = () => true,
    outcome: Outcome = 'not-executed',
  ): MaybePromise<Answer> {
    let answer: MaybePromise<Answer>
    try {
      answer = call()
    } catch (thrown) {
      throw this.failure(operation, thrown, outcome)
    }
    const checked = (given: Answer): Answer => {
      if (makesSense(given)) return given
      const { name } = this.#adapter
      throw new StoreError(
        `the ${name} event store gave an answer that makes no sense when asked to ${words(operation)}`,
        { outcome },
      )
    }
    if (!isPromiseLike(answer)) return checked(answer)
    // A promise of a library's own becomes a real one at this door.
    return Promise.resolve(answer).then(checked, (thrown: unknown) => {
      throw this.failure(operation, thrown, outcome)
    })
  }

  /**
   * Wake-ups of the adapter, until that is taken back.
   *
   * @param listener is given the head position where it is known
   * @param begin what the adapter begins with
   * @returns what takes it back; it may be called again
   */
  watch(
    listener: (headPosition?: number) => void,
    begin: (wake: (headPosition?: number) => void) => () => void,
  ): () => void {
    this.mustBeOpen('watch')
    // From JavaScript, anything.
    if (typeof (listener as unknown) !== 'function') {
      throw new InvalidOptionError(`watch: the listener must be a function, not ${shown(listener)}`)
    }
    let ended = false
    const end = begin((headPosition) => {
      if (ended) return
      try {
        listener(headPosition)
      } catch {
        // It is told of a wake-up, and what it throws concerns nobody here: least of all the one who wrote.
      }
    })
    return () => {
      if (ended) return
      ended = true
      end()
    }
  }

  failure(operation: string, thrown: unknown, outcome: Outcome): EdictError {
    if (thrown instanceof EdictError) return thrown
    const message = `the ${this.#adapter.name} event store failed to ${words(operation)}: ${describeThrown(thrown)}`
    return new StoreError(message, { cause: thrown, outcome, isRefusal: isTooMuch(thrown) })
  }
}

/** Whether something is more than the language, or the driver, can hold in one piece. */
export function isTooMuch(thrown: unknown): boolean {
  // Of several realms in one process, only one has this class.
  return thrown instanceof Error && thrown.name === 'RangeError'
}

/** Whether what came before went well is the business of the one who asked for it. */
function after(change: PromiseLike<void>, next: () => MaybePromise<void>): PromiseLike<void> {
  return change.then(next, next)
}

/** `readStream` as one says it: read stream. */
function words(operation: string): string {
  return operation.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
