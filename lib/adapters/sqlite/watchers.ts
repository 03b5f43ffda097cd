import type BetterSqlite3 from 'better-sqlite3'
import type { Connections } from './connections.ts'

/** How often the file is looked at for what other processes have committed, in milliseconds. A look costs a few microseconds. */
const LOOK_EVERY_MS = 25
/** The same when there was no event for a while: to be woken costs an idle process more than to look. */
const LOOK_WHEN_QUIET_MS = 100
/** After so many looks that found nothing, it is quiet: about a second. */
const QUIET_AFTER_LOOKS = 40

type Listener = (headPosition?: number) => void

/** Those who want to know of new events or commands: at once of this store's own, and soon of those of others. */
export class Watchers {
  readonly #listeners = new Set<{ readonly listener: Listener }>()
  readonly #ofCommands = new Set<{ readonly listener: () => void }>()
  readonly #dataVersion: BetterSqlite3.Statement<[], number>
  readonly #readHead: () => number
  #timer: NodeJS.Timeout | undefined
  #seenVersion = -1
  #seenHead = 0
  /** How many looks have found no event since the last that did. */
  #vainLooks = 0
  /** What the listeners know of. */
  #told = 0
  #telling = false

  constructor({ reading }: Connections, readHead: () => number) {
    this.#dataVersion = reading.prepare<[], number>('PRAGMA data_version').pluck()
    this.#readHead = readHead
  }

  add(listener: Listener): () => void {
    const entry = { listener }
    this.#listeners.add(entry)
    this.#start()
    return () => {
      this.#listeners.delete(entry)
      this.#stopUnused()
    }
  }

  /** They are told of whatever others have written, since that is cheaper than to find out what it was. */
  addOfCommands(listener: () => void): () => void {
    const entry = { listener }
    this.#ofCommands.add(entry)
    this.#start()
    return () => {
      this.#ofCommands.delete(entry)
      this.#stopUnused()
    }
  }

  tellOfCommands(): void {
    for (const { listener } of this.#ofCommands) listener()
  }

  #start(): void {
    if (this.#timer !== undefined) return
    this.#seenVersion = this.#dataVersion.get() as number
    this.#told = this.#readHead()
    this.#vainLooks = 0
    this.#lookLater()
  }

  #stopUnused(): void {
    if (this.#listeners.size === 0 && this.#ofCommands.size === 0) this.#stop()
  }

  /** Events up to here can be read. */
  tell(headPosition: number): void {
    if (this.#listeners.size === 0 || headPosition <= this.#told) return
    this.#told = headPosition
    // A listener may write: it is told of that when all have been told of what was before.
    if (this.#telling) return
    this.#telling = true
    try {
      let told: number
      do {
        told = this.#told
        for (const { listener } of this.#listeners) listener(told)
      } while (this.#told > told)
    } finally {
      this.#telling = false
    }
  }

  end(): void {
    this.#listeners.clear()
    this.#ofCommands.clear()
    this.#stop()
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #lookLater(): void {
    const delay = this.#vainLooks < QUIET_AFTER_LOOKS ? LOOK_EVERY_MS : LOOK_WHEN_QUIET_MS
    const timer = setTimeout(() => {
      this.#look()
      // A listener may have been the last to go, and may have come back.
      if (this.#timer === timer) this.#lookLater()
    }, delay)
    this.#timer = timer.unref()
  }

  #look(): void {
    try {
      const version = this.#dataVersion.get() as number
      this.#vainLooks++
      if (version === this.#seenVersion) return
      const head = this.#readHead()
      this.#seenVersion = version
      // Leases that are kept change the file too, and go on when nothing else does.
      if (head !== this.#seenHead) this.#vainLooks = 0
      this.#seenHead = head
      this.tell(head)
      this.tellOfCommands()
    } catch {
      // The file is busy or cannot be read now: the next look will tell.
    }
  }
}
