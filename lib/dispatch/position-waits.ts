import { stayingAlive, type Clock } from '../effects/clock.ts'
import type { Fairness } from '../effects/fairness.ts'
import type { Logger } from '../effects/logger.ts'
import { InvalidOptionError, PositionTimeoutError } from '../errors.ts'
import { checkOptions, checkWhole } from '../event-store/argument-checks.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import { storedTypes, type Upcaster } from '../messages/upcaster.ts'
import { isOfInterest } from './board-entry.ts'
import type { BoardHandler, ConsistencyBoard } from './consistency-board.ts'
import { HeadWaits } from './head-waits.ts'
import { checkedMilliseconds } from './options.ts'

/** How somebody waits for a position. */
export interface WaitOptions {
  /** Which handlers are waited for, by name or by value; they are strongly consistent ones. @default all of those */
  readonly handlers?: readonly (string | { readonly name: string })[]
  /** Milliseconds, or `Infinity`. @default the application's `defaults.consistencyTimeout` */
  readonly timeout?: number
}

interface Sources {
  readonly store: EventStore
  readonly codec: EventCodec
  readonly board: ConsistencyBoard
  readonly clock: Clock
  readonly fairness: Fairness
  readonly logger: Logger
}

/** So many events are read at once in search of the last one that interests a handler: mostly it is the first that is found. */
const PAGE = 16

/** Lets somebody wait until handlers have handled all that another request, perhaps on another node, has stored. */
export class PositionWaits {
  readonly #sources: Sources
  readonly #upcasters: readonly Upcaster[]
  readonly #timeout: number
  readonly #heads: HeadWaits
  readonly #rejections = new Set<(error: Error) => void>()

  constructor(sources: Sources, options: { readonly upcasters: readonly Upcaster[]; readonly timeout: number }) {
    this.#sources = sources
    this.#upcasters = options.upcasters
    this.#timeout = options.timeout
    this.#heads = new HeadWaits(sources)
  }

  /** @throws {InvalidOptionError} `invalid_option`; PositionTimeoutError `position_timeout` */
  async wait(position: number, options: WaitOptions | undefined): Promise<void> {
    checkWhole('waitFor', 'the position', position, 0)
    checkOptions('waitFor', options, ['handlers', 'timeout'])
    const timeout = options?.timeout === undefined ? this.#timeout : checkedMilliseconds('timeout', options.timeout)
    const handlers = this.#handlersOf(options?.handlers)
    if (handlers.every((handler) => this.#positionOf(handler) >= position)) return
    await stayingAlive(this.#sources.clock, this.#unlessEnded(this.#wait(position, handlers, timeout)))
  }

  /** The application stops: nobody waits any longer. */
  end(error: Error): void {
    for (const reject of this.#rejections) reject(error)
    this.#heads.end()
  }

  #handlersOf(given: unknown): readonly BoardHandler[] {
    const { board } = this.#sources
    if (given === undefined) return board.resolve('strong')
    if (Array.isArray(given)) return board.resolve(given as readonly string[], 'handlers')
    throw new InvalidOptionError('waitFor: handlers must be a list of handlers or their names')
  }

  #positionOf({ name }: BoardHandler): number {
    return this.#sources.board.handler(name)?.position ?? 0
  }

  #unlessEnded(work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rejections.add(reject)
      const over = () => this.#rejections.delete(reject)
      work.then(over, over)
      work.then(resolve, reject)
    })
  }

  async #wait(position: number, handlers: readonly BoardHandler[], timeout: number): Promise<void> {
    const { board, clock } = this.#sources
    const since = clock.now()
    const left = () => (timeout === Infinity ? Infinity : Math.max(0, since + timeout - clock.now()))
    if (!(await this.#heads.reached(position, timeout))) {
      const all = handlers.filter((handler) => this.#positionOf(handler) < position).map(({ name }) => name)
      throw new PositionTimeoutError(`no event was stored at position ${position} within ${timeout} ms`, position, all)
    }
    const targets: [BoardHandler, number][] = []
    for (const handler of handlers) targets.push([handler, await this.#lastInterest(handler, position, left)])
    const laggards = await board.reach(targets, left())
    if (laggards.length > 0) throw this.#late(position, laggards, clock.now() - since)
    // Between that event and the position there is none for them: who asks again need not look for it.
    for (const { name } of handlers) board.acknowledge(name, position)
  }

  /** The position of the last event up to a position that interests a handler, as far as it has not handled it; else 0. */
  async #lastInterest(handler: BoardHandler, position: number, left: () => number): Promise<number> {
    const { store, fairness } = this.#sources
    const types = storedTypes(handler.types, this.#upcasters)
    for (let from = position; from > this.#positionOf(handler);) {
      if (left() === 0) return from
      const slice = await store.readAll({ fromPosition: from, direction: 'backward', maxCount: PAGE, types })
      for (const stored of slice.events) if (await this.#interests(handler, stored)) return stored.position
      from = slice.lastPosition - 1
      if (fairness.turnDue()) await fairness.turn()
    }
    return 0
  }

  async #interests(handler: BoardHandler, stored: StoredEvent): Promise<boolean> {
    try {
      const read = await this.#sources.codec.decode(stored)
      return read.some((event) => isOfInterest(handler, event))
    } catch {
      // The handler cannot read it either, and so it has not got past it.
      return true
    }
  }

  #late(position: number, laggards: readonly string[], waited: number): PositionTimeoutError {
    const told = this.#sources.board.told(laggards)
    const message = `the events up to position ${position} are not handled by ${told} after ${Math.max(0, waited)} ms`
    return new PositionTimeoutError(message, position, laggards)
  }
}
