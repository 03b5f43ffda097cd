import { v5 } from 'uuid'

/** Name spaces of Edict's own for RFC 9562 name-based ids. */
const KEY_NAMESPACE = '0b6f4c64-6a0f-5d0d-8a51-6a2c0f3f7c1d'
const RECURRENCE_NAMESPACE = '7d5f0f7e-52f5-5a8c-9a51-0f6c1d2b3a4e'

/**
 * The id of the command of an idempotency key. It is always the same: where an attempt came to nothing as far as the queue knows, but took
 * effect, the next one finds its events.
 */
export function idOfKey(tenant: string | undefined, key: string): string {
  return v5(JSON.stringify([tenant ?? null, key]), KEY_NAMESPACE)
}

/** The id of the command of one occurrence, which every node finds by itself. */
export function idOfOccurrence(name: string, at: Date): string {
  return v5(JSON.stringify([name, at.getTime()]), RECURRENCE_NAMESPACE)
}
