import { LONGEST_TIMER_MS, type Clock } from '../effects/clock.ts'

const settled = Promise.resolve()

/** What may expire. Extended, not held, so that a deadline costs no object of its own. */
export class Expiring {
  timeout = 0
  expiresAt = 0
  removed = false
  queue: Queue | undefined
  earlier: Expiring | undefined
  later: Expiring | undefined
}

/** Those with one timeout: they expire in the order in which they came. */
interface Queue {
  first: Expiring | undefined
  last: Expiring | undefined
}

/**
 * Many deadlines behind one timer, which is set for the earliest. A deadline costs neither a timer nor a look at the clock
 * if it is taken back before the work that runs at the moment is through, as most are.
 */
export class Deadlines<Item extends Expiring> {
  readonly #clock: Clock
  readonly #expire: (item: Item) => void
  readonly #queues = new Map<number, Queue>()
  #fresh: Item[] = []
  #timer: { readonly handle: unknown; readonly at: number } | undefined

  constructor(clock: Clock, expire: (item: Item) => void) {
    this.#clock = clock
    this.#expire = expire
  }

  add(item: Item, timeout: number): void {
    if (timeout === Infinity) return
    item.timeout = timeout
    if (this.#fresh.push(item) === 1) void settled.then(this.#date)
  }

  remove(item: Item): void {
    item.removed = true
    if (item.queue === undefined) return
    this.#unlink(item, item.queue)
    if (this.#queues.size === 0) this.#disarm()
  }

  readonly #date = (): void => {
    const fresh = this.#fresh
    this.#fresh = []
    let now: number | undefined
    for (const item of fresh) {
      if (item.removed) continue
      now ??= this.#clock.now()
      item.expiresAt = now + item.timeout
      this.#link(item)
    }
    if (now !== undefined) this.#arm(now)
  }

  #link(item: Item): void {
    let queue = this.#queues.get(item.timeout)
    if (queue === undefined) {
      queue = { first: undefined, last: undefined }
      this.#queues.set(item.timeout, queue)
    }
    item.queue = queue
    item.earlier = queue.last
    if (queue.last === undefined) queue.first = item
    else queue.last.later = item
    queue.last = item
  }

  #unlink(item: Expiring, queue: Queue): void {
    if (item.earlier === undefined) queue.first = item.later
    else item.earlier.later = item.later
    if (item.later === undefined) queue.last = item.earlier
    else item.later.earlier = item.earlier
    item.queue = item.earlier = item.later = undefined
    if (queue.first === undefined) this.#queues.delete(item.timeout)
  }

  #arm(now: number): void {
    let earliest = Infinity
    for (const { first } of this.#queues.values()) {
      if (first !== undefined && first.expiresAt < earliest) earliest = first.expiresAt
    }
    if (earliest === Infinity) return
    if (this.#timer !== undefined && this.#timer.at <= earliest) return
    this.#disarm()
    const at = Math.min(earliest, now + LONGEST_TIMER_MS)
    this.#timer = { at, handle: this.#clock.setTimeout(this.#fire, Math.max(0, at - now)) }
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer.handle)
    this.#timer = undefined
  }

  readonly #fire = (): void => {
    // What the timer was set for is due even if the clock has been put back since.
    const due = this.#timer?.at ?? 0
    this.#timer = undefined
    for (const queue of [...this.#queues.values()]) {
      for (let item = queue.first; item !== undefined && item.expiresAt <= due; item = queue.first) {
        item.removed = true
        this.#unlink(item, queue)
        this.#expire(item as Item)
      }
    }
    this.#arm(this.#clock.now())
  }
}
