/**
 * How a table is made: its columns and constraints in SQL, as they stand between the parentheses of `CREATE TABLE`; or a function of
 * the table's name that gives whole statements, for indexes and the like.
 */
export type TableDefinition = string | ((table: string) => string | readonly string[])

/** What `project` may know beside the event. */
export interface ProjectionContext<Table extends string = string> {
  /** The tables to write to, by the names that readers know: each generation has its own. */
  readonly tables: { readonly [Name in Table]: string }
  /** Whether this generation is being built, and nobody reads it yet. */
  readonly rebuilding: boolean
  /** How often this event has been given to the projection by itself, from 1. */
  readonly attempt: number
  readonly projectionName: string
  /** The application's name. */
  readonly application: string
  /** Aborts when the projection is stopped. */
  readonly signal: AbortSignal
}
