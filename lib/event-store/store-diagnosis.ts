/** What a store tells of itself, and of what it stands on, to whoever looks for what is wrong. */
export interface StoreDiagnosis {
  /** The package that it works through, and its version. */
  readonly driver: { readonly name: string; readonly version: string }
  /** What keeps the events, and its version: `'PostgreSQL 18.1'`. */
  readonly database: string
  /** How many migrations the database has, and how many this version of Edict knows. */
  readonly schema: { readonly found: number; readonly expected: number }
  /** The settings that decide what an acknowledged append survives, by name. */
  readonly durability: Readonly<Record<string, string>>
  /** What may be lost by these settings, in sentences; empty where nothing is. */
  readonly warnings: readonly string[]
  /** Milliseconds since the epoch, by the clock that leases go by. */
  readonly now: number
}
