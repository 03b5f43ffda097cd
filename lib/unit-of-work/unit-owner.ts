/** Who runs a unit: whose time it takes. Where it is the turn of an instance, that instance is its own meanwhile. */
export interface UnitOwner {
  /** Why nobody waits for it any more. */
  readonly failure: Error | undefined
  /** Throws where it is too late for anything to be stored. */
  fence(): void
  /** The append begins: from now on the outcome depends on the store. */
  appending(): void
}
