/** How far someone has come in the store, to the event: upcasting may make several of a stored one. */
export interface ReachedPlace {
  /** Every event up to here is handled, or of no interest. */
  readonly position: number
  /** How many of the events made of the stored one at `position + 1` are handled. */
  readonly index: number
}

/** Whether a place, or an event at its position and index, is before another. */
export function isBefore(one: ReachedPlace, other: ReachedPlace): boolean {
  return one.position < other.position || (one.position === other.position && one.index < other.index)
}
