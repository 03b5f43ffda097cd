const ATTEMPTS = 5

/**
 * Whether a planted bug shows depends on the moment at which a process is killed or paused, and on a busy machine many moments are the
 * wrong one. That it can be seen at all is what is asserted: each attempt has a cluster of its own.
 */
export async function seenAtLast(attempt: () => Promise<void>, attempts = ATTEMPTS): Promise<void> {
  for (let number = 1; number < attempts; number++) {
    try {
      await attempt()
      return
    } catch {
      // Not this time.
    }
  }
  await attempt()
}

/** Milliseconds for a case that tries so often; an attempt that sees nothing may wait for what never comes. */
export const timeToSee = (attempts = ATTEMPTS): number => attempts * 180_000
