import { uuidText } from './uuid-text.ts'

/** The door through which new ids come in: command ids and correlation ids. */
export interface Ids {
  /** A new id, never given before. */
  next(): string
}

/** The door through which randomness comes in. */
export interface Random {
  /** Fills the array with random bytes. */
  fill(bytes: Uint8Array<ArrayBuffer>): void
  /** A number from 0 up to, not including, 1. For jitter. */
  number(): number
}

/** The platform's own randomness. */
export const systemRandom: Random = {
  fill: (bytes) => {
    crypto.getRandomValues(bytes)
  },
  number: () => Math.random(),
}

/** Random words drawn at a time; each id takes four. */
const POOL_WORDS = 1_024
const VERSION = 4

/**
 * Random UUIDs (version 4) whose bits are drawn in blocks, as flat strings, where `crypto.randomUUID()` gives a rope that
 * costs 480 bytes once it is read and kept.
 *
 * @example
 * application({ …, ids: randomIds() })
 */
export function randomIds(random: Random = systemRandom): Ids {
  const pool = new Uint32Array(POOL_WORDS)
  const bytes = new Uint8Array(pool.buffer)
  let next = POOL_WORDS
  const word = (): number => pool[next++] as number
  return {
    next() {
      if (next === POOL_WORDS) {
        random.fill(bytes)
        next = 0
      }
      return uuidText(word(), word(), word(), word(), VERSION)
    },
  }
}
