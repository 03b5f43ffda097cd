/** Where the keys are: one for each person, apart from the events and from their backups. */
export interface KeyStore {
  /** The key of a subject, made where there is none yet; fails where it was destroyed. Two nodes that ask get the same one. */
  obtain(subject: string): Promise<CryptoKey>
  /** The key of a subject, or nothing where it was destroyed. */
  find(subject: string): Promise<CryptoKey | undefined>
  /** Forgets the key for good: what was encrypted with it says nothing any more. */
  destroy(subject: string): Promise<void>
}

/** Keys in memory, to show what a key store does. Yours has them in a database or in a key management service. */
export function inMemoryKeyStore(): KeyStore {
  const keys = new Map<string, Promise<CryptoKey> | 'destroyed'>()
  const find = async (subject: string) => {
    const key = keys.get(subject)
    return key === 'destroyed' ? undefined : key
  }
  return {
    find,
    async obtain(subject) {
      if (!keys.has(subject)) keys.set(subject, newKey())
      const key = await find(subject)
      if (key === undefined) throw new Error('the key is destroyed: nothing can be added to what is forgotten')
      return key
    },
    async destroy(subject) {
      keys.set(subject, 'destroyed')
      return Promise.resolve()
    },
  }
}

async function newKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt'])
}
