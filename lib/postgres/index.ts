// The event store on PostgreSQL, which needs the package pg.
export { postgresEventStore, type PostgresEventStore } from '../adapters/postgres/postgres-event-store.ts'
export type { PostgresEventStoreOptions } from '../adapters/postgres/options.ts'
export type { AppendInOptions } from '../adapters/postgres/append-in.ts'

// Projections into the same database.
export { projection } from './projection.ts'

// An audit trail in a table of the database.
export { postgresAuditStore, type PostgresAuditStoreOptions } from '../adapters/postgres/audit-store.ts'
