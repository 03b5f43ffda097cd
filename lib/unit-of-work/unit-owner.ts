import type { Instance } from '../aggregate/instance.ts'

/** Who runs a unit: whose time it takes, and whose turn it is. */
export interface UnitOwner {
  /** Why nobody waits for it any more. */
  readonly failure: Error | undefined
  /** The instance whose turn the owner has, if it has one: nobody else looks at its state meanwhile. */
  readonly instance?: Instance | undefined
  /** Throws where it is too late for anything to be stored. */
  fence(): void
  /** The append begins: from now on the outcome depends on the store. */
  appending(): void
}
