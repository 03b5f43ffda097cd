import { Expiring } from './deadlines.ts'

/** What the board has to know of an event. */
export interface BoardEvent {
  readonly type: string
  readonly position: number
}

/** Which events a handler handles. */
export interface Interest {
  /** Their types. */
  readonly types: ReadonlySet<string>
  /** Which events of these types interest it. @default all */
  readonly selects?: ((event: BoardEvent) => boolean) | undefined
}

/** Whether a handler handles an event. */
export function isOfInterest({ types, selects }: Interest, event: BoardEvent): boolean {
  return types.has(event.type) && (selects === undefined || selects(event))
}

/** What a handler is registered with. */
export interface BoardRegistration extends Interest {
  readonly consistency: 'eventual' | 'strong'
  /** Called when somebody begins to wait for the handler, and when nobody waits any more. */
  readonly awaited?: (isAwaited: boolean) => void
}

/** A handler on the board: what `resolve` gives, and `wait` takes. */
export interface BoardHandler extends Interest {
  readonly name: string
  readonly consistency: 'eventual' | 'strong'
  /** Every event up to here that interests the handler is handled. */
  readonly position: number
  /** What stopped it; undefined while it runs. */
  readonly failure: { readonly error: unknown } | undefined
  /** Whether somebody waits for it. */
  readonly isAwaited: boolean
}

/** A handler that dispatches, and the event that it has in hand meanwhile. */
export interface DispatchingHandler {
  readonly handlerName: string
  /** That of the event. */
  readonly position: number
}

/** A handler on the board, with those who wait for it. */
export class Entry implements BoardHandler {
  readonly name: string
  readonly consistency: 'eventual' | 'strong'
  readonly types: ReadonlySet<string>
  readonly selects: ((event: BoardEvent) => boolean) | undefined
  position = 0
  failure: { readonly error: unknown } | undefined
  /** Who waits for this handler, in the order of positions. */
  first: Link | undefined
  last: Link | undefined
  /** Its own dispatches that wait for others. */
  readonly dispatches = new Set<Wait>()
  readonly awaited: ((isAwaited: boolean) => void) | undefined

  constructor(name: string, registration: BoardRegistration) {
    this.name = name
    this.consistency = registration.consistency
    this.types = registration.types
    this.selects = registration.selects
    this.awaited = registration.awaited
  }

  get isAwaited(): boolean {
    return this.first !== undefined
  }

  /** Whether it cannot reach a position before a handler goes on: it waits for that one itself, in a dispatch of its own. */
  waitsFor(handler: DispatchingHandler, position: number, asked = new Set<Wait>()): boolean {
    for (const wait of this.dispatches) {
      if (asked.has(wait) || wait.heldAt > position || wait.heldAt <= this.position) continue
      asked.add(wait)
      for (let link = wait.links; link !== undefined; link = link.sibling) {
        if (!link.waiting) continue
        const isIt = link.entry.name === handler.handlerName && link.position >= handler.position
        if (isIt || link.entry.waitsFor(handler, link.position, asked)) return true
      }
    }
    return false
  }
}

/** One dispatch that waits for one handler to reach a position. */
export class Link {
  readonly wait: Wait
  readonly entry: Entry
  readonly position: number
  /** The same dispatch's wait for another handler. */
  readonly sibling: Link | undefined
  next: Link | undefined
  previous: Link | undefined
  waiting = false

  constructor(wait: Wait, entry: Entry, position: number, sibling: Link | undefined) {
    this.wait = wait
    this.entry = entry
    this.position = position
    this.sibling = sibling
  }

  insert(): void {
    // Waits come nearly in the order of their positions, so the place is found from the end.
    let before = this.entry.last
    while (before !== undefined && before.position > this.position) before = before.previous
    const after = before === undefined ? this.entry.first : before.next
    this.previous = before
    this.next = after
    if (before === undefined) this.entry.first = this
    else before.next = this
    if (after === undefined) this.entry.last = this
    else after.previous = this
    this.waiting = true
    if (before === undefined && after === undefined) this.entry.awaited?.(true)
  }

  remove(): void {
    if (!this.waiting) return
    this.waiting = false
    if (this.previous === undefined) this.entry.first = this.next
    else this.previous.next = this.next
    if (this.next === undefined) this.entry.last = this.previous
    else this.next.previous = this.previous
    this.next = undefined
    this.previous = undefined
    if (this.entry.first === undefined) this.entry.awaited?.(false)
  }
}

/** One dispatch that waits. */
export class Wait extends Expiring {
  /** How many handlers have not reached their position yet. */
  pending = 0
  links: Link | undefined
  /** The handler that dispatches, if one does. */
  dispatchedBy: Entry | undefined
  /** The position of the event that it has in hand. */
  heldAt = 0
  resolve: ((behind: readonly string[]) => void) | undefined

  behind(): readonly string[] {
    const names: string[] = []
    for (let link = this.links; link !== undefined; link = link.sibling) {
      if (link.entry.position < link.position) names.push(link.entry.name)
    }
    return names.reverse()
  }

  end(behind: readonly string[]): void {
    for (let link = this.links; link !== undefined; link = link.sibling) link.remove()
    this.dispatchedBy?.dispatches.delete(this)
    this.resolve?.(behind)
  }
}
