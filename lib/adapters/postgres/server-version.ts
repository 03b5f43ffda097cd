import { UnsupportedVersionError } from '../../errors.ts'

const OLDEST = 14

/**
 * Refuses a server that is too old, by its `server_version_num` (160004 for 16.4).
 *
 * @throws {UnsupportedVersionError} `unsupported_version`
 */
export function checkServerVersion(versionNumber: string): void {
  const version = Number(versionNumber)
  if (version >= OLDEST * 10_000) return
  const found = Number.isSafeInteger(version) ? `${Math.floor(version / 10_000)}` : JSON.stringify(versionNumber)
  throw new UnsupportedVersionError(
    `the postgres event store needs PostgreSQL ${OLDEST} or newer, not ${found}: upgrade the server`,
  )
}
