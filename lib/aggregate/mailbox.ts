import type { Fairness } from '../effects/fairness.ts'
import { isLater, type MaybePromise } from '../effects/maybe-promise.ts'
import { MailboxFullError } from '../errors.ts'

/** One command's turn on an instance. */
export interface Turn<Result> {
  /** Why nobody waits for it any more: it is passed over when its turn comes. */
  readonly failure: Error | undefined
  perform(): MaybePromise<Result>
}

interface Waiting {
  readonly turn: Turn<unknown>
  readonly begin: () => void
}

/** A queue that never runs empty still has to let go of those who had their turn. */
const COMPACT_AT = 256

/** Holds the place between two turns, so that no newcomer slips in ahead of those who wait. */
const BETWEEN_TURNS: Turn<unknown> = { failure: undefined, perform: () => undefined }

/** Gives one turn at a time, in the order of asking. A turn on an idle mailbox that never waits costs no promise. */
export class Mailbox {
  #current: Turn<unknown> | undefined
  #waiting: Waiting[] | undefined
  /** How many of `#waiting`, from the front, have had their turn. */
  #taken = 0
  #abandoned = 0

  get idle(): boolean {
    return this.#current === undefined
  }

  get current(): object | undefined {
    return this.#current
  }

  /** How many wait and have not ended. */
  get length(): number {
    return this.#waiting === undefined ? 0 : this.#waiting.length - this.#taken - this.#abandoned
  }

  /**
   * Performs a turn: now, or after those who came before. A turn that has to wait is performed in the asynchronous context of
   * its own caller, since it goes on from a promise that was asked for here.
   *
   * @throws {MailboxFullError} `mailbox_full` where `limit` turns wait already
   */
  enter<Result>(turn: Turn<Result>, limit: number, name: string, fairness: Fairness): MaybePromise<Result> {
    if (this.#current === undefined) return this.#perform(turn, fairness)
    if (this.length >= limit) throw new MailboxFullError(name, limit)
    const turnComes = new Promise<void>((resolve) => {
      this.#waiting ??= []
      this.#waiting.push({ turn, begin: resolve })
    })
    return turnComes.then(() => {
      if (turn.failure !== undefined) throw turn.failure
      return this.#perform(turn, fairness)
    })
  }

  /** A turn that entered, and is not through, has ended: the next one need not wait for it. */
  abandon(turn: Turn<unknown>, fairness: Fairness): void {
    if (this.#current === turn) this.#leave(turn, fairness)
    else this.#abandoned++
  }

  #perform<Result>(turn: Turn<Result>, fairness: Fairness): MaybePromise<Result> {
    this.#current = turn
    let result: MaybePromise<Result>
    try {
      result = turn.perform()
    } catch (error) {
      this.#leave(turn, fairness)
      throw error
    }
    if (!isLater(result)) {
      this.#leave(turn, fairness)
      return result
    }
    return result.then(
      (value) => {
        this.#leave(turn, fairness)
        return value
      },
      (error: unknown) => {
        this.#leave(turn, fairness)
        throw error
      },
    )
  }

  #leave(turn: Turn<unknown>, fairness: Fairness): void {
    if (this.#current !== turn) return
    if (this.#waiting === undefined) {
      this.#current = undefined
      return
    }
    this.#current = BETWEEN_TURNS
    // Not at once: whoever leaves has first to tell its own caller, and a long queue must not become a deep stack.
    queueMicrotask(() => {
      this.#next(fairness)
    })
  }

  #next(fairness: Fairness): void {
    let waiting = this.#take()
    while (waiting !== undefined && waiting.turn.failure !== undefined) {
      this.#abandoned--
      waiting.begin()
      waiting = this.#take()
    }
    this.#current = waiting?.turn
    if (waiting === undefined) return
    if (fairness.turnDue()) void fairness.turn().then(waiting.begin)
    else waiting.begin()
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting?.[this.#taken++]
    if (this.#waiting === undefined || this.#taken >= this.#waiting.length) {
      this.#waiting = undefined
      this.#taken = 0
    } else if (this.#taken >= COMPACT_AT && this.#taken * 2 >= this.#waiting.length) {
      this.#waiting.splice(0, this.#taken)
      this.#taken = 0
    }
    return waiting
  }
}
