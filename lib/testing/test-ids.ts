import type { Ids, Random } from '../effects/ids.ts'

/**
 * Makes ids that a test can foretell, for the `ids` of an application: `id-1`, `id-2`, and so on.
 *
 * @example
 * import { testIds } from 'edict/testing'
 *
 * const ids = testIds('bank')
 * ids.next() // 'bank-1'
 *
 * @param prefix @default 'id'
 */
export function testIds(prefix = 'id'): Ids {
  let last = 0
  return { next: () => `${prefix}-${++last}` }
}

/**
 * Makes randomness that is the same for the same seed, for the `random` of an application.
 *
 * @example
 * import { testRandom } from 'edict/testing'
 *
 * const random = testRandom(7)
 * random.number() === testRandom(7).number() // true
 *
 * @param seed @default 1
 */
export function testRandom(seed = 1): Random {
  let state = seed | 0
  // Tommy Ettinger's mulberry32, in the public domain: 32 bits are enough for what a test wants to be the same again.
  const word = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    fill: (bytes) => {
      for (let index = 0; index < bytes.length; index++) bytes[index] = word() & 255
    },
    number: () => word() / 2 ** 32,
  }
}
