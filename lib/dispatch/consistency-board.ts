import { stayingAlive, type Clock } from '../effects/clock.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { DefinitionError, InvalidOptionError } from '../errors.ts'
import type { Consistency } from '../routing/dispatch-options.ts'
import {
  Entry,
  isOfInterest,
  Link,
  Wait,
  type BoardEvent,
  type BoardHandler,
  type BoardRegistration,
  type DispatchingHandler,
} from './board-entry.ts'
import { Deadlines } from './deadlines.ts'

const nobody: readonly never[] = Object.freeze([])

/**
 * Stands between dispatch and handlers: handlers report how far they are, dispatch waits on it, and neither knows the other.
 * The cost of a report or a wait does not grow with the number of those who wait: each handler keeps them in the order of
 * the positions that they wait for.
 */
export class ConsistencyBoard {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Clock
  readonly #deadlines: Deadlines<Wait>
  #all: readonly Entry[] | undefined
  #strong: readonly Entry[] | undefined

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock
    this.#deadlines = new Deadlines(clock, (wait) => {
      wait.end(wait.behind())
    })
  }

  /** Puts a handler on the board; one that failed or stopped before may come again. */
  register(name: string, registration: BoardRegistration): void {
    const known = this.#entries.get(name)
    if (known && !known.failure)
      throw new DefinitionError(`two handlers are named ${name}: each needs a name of its own`)
    this.#entries.set(name, new Entry(name, registration))
    this.#all = this.#strong = undefined
  }

  /** Takes a handler off the board. Whoever waits for it is answered at once. */
  unregister(name: string): void {
    this.failed(name, undefined)
    this.#entries.delete(name)
    this.#all = this.#strong = undefined
  }

  /** A handler has handled every event up to a position that interests it. */
  acknowledge(name: string, position: number): void {
    const entry = this.#entries.get(name)
    if (entry === undefined || position <= entry.position) return
    entry.position = position
    let link = entry.first
    while (link !== undefined && link.position <= position) {
      const { wait, next } = link
      link.remove()
      if (--wait.pending === 0) this.#finish(wait, nobody)
      link = next
    }
  }

  /** A handler has stopped, by failure or by order: whoever waits for it, now or later, is answered at once. */
  failed(name: string, error: unknown): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    entry.failure = { error }
    // Ending a wait removes its links from every list, so the first one is always another.
    for (let link = entry.first; link !== undefined; link = entry.first) {
      this.#finish(link.wait, link.wait.behind())
    }
  }

  /** Names of handlers in a sentence, with a word on those that have stopped. */
  told(names: readonly string[]): string {
    return names.map((name) => (this.#entries.get(name)?.failure ? `${name} (which has stopped)` : name)).join(', ')
  }

  /** What is known of a handler, by name. */
  handler(name: string): BoardHandler | undefined {
    return this.#entries.get(name)
  }

  /**
   * The handlers that a dispatch with this consistency waits for. `option` is what the list was given as.
   *
   * @throws {InvalidOptionError} `invalid_option` where a name is unknown, or that of an eventually consistent handler
   */
  resolve(consistency: Consistency, option = 'consistency'): readonly BoardHandler[] {
    if (consistency === 'eventual') return nobody
    if (consistency === 'strong') {
      return (this.#strong ??= [...this.#entries.values()].filter((entry) => entry.consistency === 'strong'))
    }
    if (!Array.isArray(consistency)) {
      throw new InvalidOptionError(`consistency must be 'eventual', 'strong', or a list of handlers or their names`)
    }
    const listed = new Set<Entry>()
    for (const item of consistency as readonly unknown[]) listed.add(this.#listed(item, option))
    return [...listed]
  }

  #listed(item: unknown, option: string): Entry {
    const name = typeof item === 'string' ? item : (item as { readonly name?: unknown } | null | undefined)?.name
    if (typeof name !== 'string') {
      throw new InvalidOptionError(`${option} lists something that is neither a handler nor a name`)
    }
    const entry = this.#entries.get(name)
    if (entry === undefined)
      throw new InvalidOptionError(`${option} names ${name}, which is no handler of this application`)
    if (entry.consistency !== 'strong') {
      throw new InvalidOptionError(`${option} names ${name}, which is eventually consistent: nobody can wait for it`)
    }
    return entry
  }

  /**
   * Waits until handlers have handled the events that interest them.
   *
   * @param events those of one command, in their order
   * @param handlers what `resolve` gave
   * @param timeout milliseconds, or Infinity
   * @param by the handler that dispatches: it is not waited for, nor is one that waits for it in a dispatch of its own
   * @param synchronous those of the events that are waited for with every handler, whatever its consistency
   * @returns the names of the handlers that have not; empty where all have. At once where nothing is to be waited for
   */
  wait(
    events: readonly BoardEvent[],
    handlers: readonly BoardHandler[],
    timeout: number,
    by?: DispatchingHandler,
    synchronous: readonly BoardEvent[] = nobody,
  ): MaybePromise<readonly string[]> {
    if (events.length === 0) return nobody
    const awaited = synchronous.length === 0 ? handlers : this.#withAll(handlers)
    if (awaited.length === 0) return nobody
    let wait: Wait | undefined
    let stopped = false
    const dispatchedBy = by && this.#entries.get(by.handlerName)
    for (const [index, handler] of awaited.entries()) {
      if (handler.name === by?.handlerName) continue
      const position = lastInterest(index < handlers.length ? events : synchronous, handler)
      // By name: whoever resolved before a handler started anew, or left, holds its old entry.
      const entry = this.#entries.get(handler.name) ?? gone(handler)
      if (position <= entry.position) continue
      if (entry.failure) stopped = true
      else if (by && dispatchedBy && dispatchedBy.position < by.position && entry.waitsFor(by, position)) continue
      wait ??= new Wait()
      wait.links = new Link(wait, entry, position, wait.links)
    }
    if (wait === undefined) return nobody
    if (stopped) return wait.behind()
    if (by && dispatchedBy) {
      wait.dispatchedBy = dispatchedBy
      wait.heldAt = by.position
      dispatchedBy.dispatches.add(wait)
    }
    return this.#enqueue(wait, timeout)
  }

  /** As `wait`, for a position of each handler that it is to reach. */
  reach(targets: Iterable<readonly [BoardHandler, number]>, timeout: number): MaybePromise<readonly string[]> {
    let wait: Wait | undefined
    let stopped = false
    for (const [handler, position] of targets) {
      const entry = this.#entries.get(handler.name) ?? gone(handler)
      if (position <= entry.position) continue
      if (entry.failure) stopped = true
      wait ??= new Wait()
      wait.links = new Link(wait, entry, position, wait.links)
    }
    if (wait === undefined) return nobody
    return stopped ? wait.behind() : this.#enqueue(wait, timeout)
  }

  /** These, and after them every other one that there is now. */
  #withAll(handlers: readonly BoardHandler[]): readonly BoardHandler[] {
    const all = (this.#all ??= [...this.#entries.values()])
    if (handlers.length === 0) return all
    const names = new Set(handlers.map(({ name }) => name))
    return [...handlers, ...all.filter(({ name }) => !names.has(name))]
  }

  #enqueue(wait: Wait, timeout: number): Promise<readonly string[]> {
    for (let link = wait.links; link !== undefined; link = link.sibling) {
      link.insert()
      wait.pending++
    }
    this.#deadlines.add(wait, timeout)
    const ended = new Promise<readonly string[]>((resolve) => {
      wait.resolve = resolve
    })
    return timeout === Infinity ? stayingAlive(this.#clock, ended) : ended
  }

  #finish(wait: Wait, behind: readonly string[]): void {
    this.#deadlines.remove(wait)
    wait.end(behind)
  }
}

function lastInterest(events: readonly BoardEvent[], handler: BoardHandler): number {
  for (let index = events.length - 1; index >= 0; index--) {
    const event = events[index]
    if (event !== undefined && isOfInterest(handler, event)) return event.position
  }
  return 0
}

function gone(handler: BoardHandler): Entry {
  const entry = new Entry(handler.name, handler)
  entry.failure = { error: undefined }
  return entry
}

export type { BoardEvent, BoardHandler, BoardRegistration, DispatchingHandler }
