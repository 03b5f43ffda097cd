import { checkOptions, checkWhole } from '../event-store/argument-checks.ts'
import type { AuditEntry } from './audit-entry.ts'
import { fits, type AuditPage, type CheckedAuditQuery } from './audit-query.ts'
import type { AuditStore } from './audit-store.ts'

/** How much an audit store in memory keeps. */
export interface InMemoryAuditStoreOptions {
  /** How many entries are kept; the oldest give way. @default 10_000 */
  readonly limit?: number
}

/**
 * Keeps an audit trail in memory, up to a number of entries: for tests, and for a look at what went on lately.
 *
 * @example
 * const trail = auditTrail({ store: inMemoryAuditStore({ limit: 1_000 }) })
 *
 * @throws {InvalidOptionError} `invalid_option`
 */
export function inMemoryAuditStore(options: InMemoryAuditStoreOptions = {}): AuditStore {
  checkOptions('inMemoryAuditStore', options, ['limit'])
  const { limit = 10_000 } = options
  checkWhole('inMemoryAuditStore', 'limit', limit, 1)
  return new InMemoryAuditStore(limit)
}

interface Kept {
  readonly seq: number
  entry: AuditEntry
}

class InMemoryAuditStore implements AuditStore {
  readonly name = 'in-memory'
  readonly #limit: number
  /** In the order of their first writing. */
  readonly #kept = new Map<string, Kept>()
  #seq = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  open(): void {
    // There is nothing to open.
  }

  close(): void {
    // It is kept as long as the store is.
  }

  write(entries: readonly AuditEntry[]): void {
    for (const entry of entries) {
      const known = this.#kept.get(entry.entryId)
      if (known !== undefined) known.entry = entry
      else this.#kept.set(entry.entryId, { seq: ++this.#seq, entry })
    }
    for (const entryId of this.#kept.keys()) {
      if (this.#kept.size <= this.#limit) break
      this.#kept.delete(entryId)
    }
  }

  find(query: CheckedAuditQuery): AuditPage {
    const { direction, limit, after } = query
    const all = [...this.#kept.values()]
    if (direction === 'backward') all.reverse()
    const found: Kept[] = []
    for (const kept of all) {
      if (after !== undefined && (direction === 'forward' ? kept.seq <= after : kept.seq >= after)) continue
      if (!fits(kept.entry, query)) continue
      if (found.length === limit) return { entries: found.map(({ entry }) => entry), next: found.at(-1)?.seq }
      found.push(kept)
    }
    return { entries: found.map(({ entry }) => entry), next: undefined }
  }
}
