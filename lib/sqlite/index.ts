// The SQLite event store: it needs the package better-sqlite3.
export { sqliteEventStore } from '../adapters/sqlite/sqlite-event-store.ts'
export type { SqliteEventStoreOptions } from '../adapters/sqlite/options.ts'

// Projections into the same file.
export { projection } from './projection.ts'

// An audit trail in a file of its own.
export { sqliteAuditStore } from '../adapters/sqlite/audit-store.ts'
