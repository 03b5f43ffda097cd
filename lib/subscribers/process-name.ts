import { InvalidIdentityError } from '../errors.ts'
import { textFault } from '../event-store/argument-checks.ts'
import { MAX_STREAM_ID_LENGTH } from '../event-store/limits.ts'

/** The category of the snapshots in which states are kept. */
export const PROCESS_CATEGORY = 'edict.process'

/** The id under which the state of an instance is kept. Stored: fixed for ever. No name has a #, and no tenant a slash. */
export function processStateId(name: string, instanceId: string, tenant: string | undefined): string {
  return tenant === undefined
    ? `${PROCESS_CATEGORY}-${name}#${instanceId}`
    : `${PROCESS_CATEGORY}/${tenant}/${name}#${instanceId}`
}

/** What the events of an instance are parked under. No tenant is empty, so that nobody's id with a slash is not taken for a tenant's. */
export function processParkingKey(instanceId: string, tenant: string | undefined): string {
  if (tenant !== undefined) return `${tenant}/${instanceId}`
  return instanceId.includes('/') ? `/${instanceId}` : instanceId
}

/** @throws {InvalidIdentityError} `invalid_identity` where nothing can be kept under it */
export function checkInstanceId(name: string, instanceId: string, tenant: string | undefined): void {
  const fault = textFault(processStateId(name, instanceId, tenant), MAX_STREAM_ID_LENGTH)
  if (fault !== undefined) throw new InvalidIdentityError(`the id of an instance of ${name} makes an id that ${fault}`)
}
