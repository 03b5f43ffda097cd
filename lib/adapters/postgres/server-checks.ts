import { StoreError } from '../../errors.ts'
import type { Queries } from './database.ts'
import { checkServerVersion } from './server-version.ts'

/**
 * Refuses a server, a database or a role on which the store would not keep what it promises.
 *
 * @throws {UnsupportedVersionError} `unsupported_version`; StoreError `store_failed`
 */
export async function checkServer(queries: Queries): Promise<void> {
  const [row] = await queries.query(
    "SELECT current_setting('server_version_num'), current_setting('server_encoding'), current_setting('default_transaction_isolation'), current_setting('array_nulls')",
  )
  const [version, encoding, isolation, arrayNulls] = row as readonly string[]
  checkServerVersion(version as string)
  if (encoding !== 'UTF8') {
    throw new StoreError(
      `the postgres event store needs a database whose encoding is UTF8, not ${String(encoding)}: create one with ENCODING 'UTF8'`,
    )
  }
  if (isolation !== 'read committed') {
    throw new StoreError(
      `the postgres event store needs READ COMMITTED as the default of its role, not ${String(isolation)}: ALTER ROLE … SET default_transaction_isolation = 'read committed'`,
    )
  }
  if (arrayNulls !== 'on') {
    // What is not there would be stored as the text NULL.
    throw new StoreError(
      'the postgres event store needs array_nulls of its role to be on: ALTER ROLE … RESET array_nulls',
    )
  }
}
