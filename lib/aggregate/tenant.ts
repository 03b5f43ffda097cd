import { InvalidOptionError } from '../errors.ts'
import { textFault } from '../event-store/argument-checks.ts'

/** Stands between a tenant and the rest of a stream id, and in no tenant: so no two tenants have one stream. */
const SEPARATOR = '/'

/** @throws {InvalidOptionError} `invalid_option` */
export function checkedTenant(value: unknown): string {
  const fault = textFault(value) ?? ((value as string).includes(SEPARATOR) ? 'must not contain a slash' : undefined)
  if (fault !== undefined) throw new InvalidOptionError(`tenant ${fault}`)
  return value as string
}

/** What the stream ids of an aggregate begin with. */
export function tenantPrefix(tenant: string, prefix: string): string {
  return tenant + SEPARATOR + prefix
}

/** Whether a stream id can be a tenant's as well as nobody's: `acme/1` is the account `1` of `acme`, or nobody's account `acme/1`. */
export function isAmbiguous(streamId: string): boolean {
  return streamId.includes(SEPARATOR)
}
