import type { DispatchServices } from '../dispatch/services.ts'
import { StoreError, describeThrown } from '../errors.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { BatchEntry } from './batch-entry.ts'
import type { BatchMarker } from './batch-marker.ts'
import { outcomesOf, synchronousAgain, type CommandOutcome } from './command-outcome.ts'
import { repeatedEntry } from './entry-execution.ts'

/** What commands came to that committed before, as far as the ids that were given tell; undefined where they did not. */
export async function earlierOutcomes(
  services: DispatchServices,
  given: readonly BatchEntry[],
  marker: BatchMarker | undefined,
): Promise<readonly CommandOutcome[] | undefined> {
  const known = await marker?.find(given)
  const [only] = given
  if (known !== undefined || only === undefined || given.length > 1) return known
  const result = await earlierResult(services, only)
  if (result === undefined) return undefined
  return outcomesOf(
    given,
    () => result,
    () => synchronousAgain(services, result),
  )
}

async function earlierResult(services: DispatchServices, entry: BatchEntry): Promise<ExecutionResult | undefined> {
  const { plan, tenant, aggregateId, options } = entry
  const { commandId } = options
  if (commandId === undefined) return undefined
  const group = tenant === undefined ? plan.group : plan.group.of(tenant)
  const instance = services.instances.obtain(group, aggregateId)
  const events = await readCommand(services, instance.streamId, entry)
  return events.length === 0 ? undefined : repeatedEntry(services, entry, { source: entry, instance, events })
}

/** Where this cannot be read, nobody can tell whether the command took effect when it was sent before. */
async function readCommand(
  { store }: DispatchServices,
  streamId: string,
  { command, commandId }: BatchEntry,
): Promise<readonly StoredEvent[]> {
  try {
    return await store.readCommand(streamId, commandId)
  } catch (cause) {
    const what = `whether ${command.type} was executed before cannot be read`
    throw new StoreError(`${what}: ${describeThrown(cause)}`, { cause, outcome: 'unknown' })
  }
}
