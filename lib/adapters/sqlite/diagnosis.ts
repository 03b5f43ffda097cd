import { createRequire } from 'node:module'
import type { StoreDiagnosis } from '../../event-store/store-diagnosis.ts'
import type { Database } from './driver.ts'
import { migrationCounts } from './migrations.ts'
import type { CheckedOptions } from './options.ts'

/** What is to be known of a file that is open. */
export function diagnosis(database: Database, path: string, { synchronous }: CheckedOptions): StoreDiagnosis {
  const pragma = (name: string) => String(database.pragma(name, { simple: true }))
  const { version } = createRequire(import.meta.url)('better-sqlite3/package.json') as { readonly version: string }
  const journal = pragma('journal_mode')
  return {
    driver: { name: 'better-sqlite3', version },
    database: `SQLite ${String(database.prepare('SELECT sqlite_version()').pluck().get())}`,
    schema: migrationCounts(database, path),
    durability: { synchronous, journal_mode: journal },
    warnings: [
      ...(synchronous === 'full'
        ? []
        : ["synchronous is 'normal': the last events before the machine loses power may be lost"]),
      ...(journal === 'wal'
        ? []
        : [`the journal mode is ${journal} instead of wal: several processes cannot share the file`]),
    ],
    now: Date.now(),
  }
}
