import { UnsupportedVersionError } from '../../errors.ts'

/** Older ones can lose committed transactions when the write-ahead log begins anew while it is being checkpointed. */
const OLDEST = [3, 51, 3] as const

/**
 * Refuses a SQLite library that can lose what it has committed.
 *
 * @param version as `sqlite_version()` gives it
 * @throws {UnsupportedVersionError} `unsupported_version`
 */
export function checkLibraryVersion(version: string): void {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number)
  if (numbers !== undefined && isAtLeast(numbers, OLDEST)) return
  throw new UnsupportedVersionError(
    `the sqlite event store needs SQLite ${OLDEST.join('.')} or newer, which does not lose committed transactions when its ` +
      `log begins anew; this better-sqlite3 brings ${version}: upgrade it`,
  )
}

function isAtLeast(version: readonly number[], oldest: readonly number[]): boolean {
  for (const [index, least] of oldest.entries()) {
    const number = version[index] ?? 0
    if (number !== least) return number > least
  }
  return true
}
