import type { EventRef } from './parked-facts.ts'

/** Parked events that were given up, as long as they may come again: then they count as handled. */
export class DiscardedEvents {
  readonly #byKey = new Map<string, EventRef[]>()

  add(key: string, { position, index }: EventRef): void {
    const known = this.#byKey.get(key)
    if (known === undefined) this.#byKey.set(key, [{ position, index }])
    else known.push({ position, index })
  }

  has(key: string, { position, index }: EventRef): boolean {
    return this.#byKey.get(key)?.some((ref) => ref.position === position && ref.index === index) ?? false
  }

  /** Nothing up to there comes again. */
  forget(upTo: number): void {
    for (const [key, refs] of this.#byKey) {
      const left = refs.filter(({ position }) => position > upTo)
      if (left.length === 0) this.#byKey.delete(key)
      else this.#byKey.set(key, left)
    }
  }
}
