import type { EventRef } from './parked-facts.ts'

/** Parked events that were given up, as long as they may come again: then they count as handled. */
export class DiscardedEvents {
  readonly #byKey = new Map<string, EventRef[]>()

  /** Of how many keys: while it is none, nothing else need be asked. */
  get size(): number {
    return this.#byKey.size
  }

  add(key: string, { position, index }: EventRef): void {
    const known = this.#byKey.get(key)
    if (known === undefined) this.#byKey.set(key, [{ position, index }])
    else known.push({ position, index })
  }

  has(key: string, { position, index }: EventRef): boolean {
    return this.#byKey.get(key)?.some((ref) => ref.position === position && ref.index === index) ?? false
  }

  /** Nothing up to there comes again, of the keys that `owns` tells: other partitions have places of their own. */
  forget(upTo: number, owns?: (key: string) => boolean): void {
    this.#keep(({ position }) => position > upTo, owns)
  }

  /** The handler was reset: what comes after that place is to be handled, whatever was said of it before. */
  reset(after: number): void {
    this.#keep(({ position }) => position <= after)
  }

  #keep(stays: (ref: EventRef) => boolean, owns: (key: string) => boolean = () => true): void {
    for (const [key, refs] of this.#byKey) {
      if (!owns(key)) continue
      const left = refs.filter(stays)
      if (left.length === 0) this.#byKey.delete(key)
      else this.#byKey.set(key, left)
    }
  }
}
