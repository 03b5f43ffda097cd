import { describeThrown } from '../errors.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { failed, ok, warning, type Finding } from './finding.ts'
import { duration } from './table.ts'

/** Milliseconds by which the clocks of this machine and of the store may differ, before somebody is told. */
const MOST_SKEW = 1_000

/** Opens a store, and says whether it could be. */
export async function openedFor(store: EventStore): Promise<Finding> {
  try {
    await store.open()
    return ok('store', `the ${store.name} event store opens`)
  } catch (thrown) {
    return failed('store', `the ${store.name} event store does not open: ${describeThrown(thrown)}`)
  }
}

/** What is to be said of a store that is open. */
export async function checkStore(store: EventStore): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  try {
    findings.push(ok('events', `the last position is ${await store.headPosition()}`))
    findings.push(...(await diagnosed(store)))
  } catch (thrown) {
    findings.push(failed('events', `the ${store.name} event store cannot be read: ${describeThrown(thrown)}`))
  }
  if (!store.capabilities.durable) {
    findings.push(warning('durability', `the ${store.name} event store forgets everything when its process ends`))
  }
  return findings
}

async function diagnosed(store: EventStore): Promise<readonly Finding[]> {
  if (store.diagnose === undefined) return []
  const askedAt = Date.now()
  const { driver, database, schema, durability, warnings, now } = await store.diagnose()
  const answeredAt = Date.now()
  const settings = Object.entries(durability).map(([name, value]) => `${name} = ${value}`)
  return [
    ok('driver', `${driver.name} ${driver.version}`),
    ok('database', database),
    schema.found === schema.expected
      ? ok('schema', `version ${schema.found}`)
      : failed(
          'schema',
          `the database is at version ${schema.found}, and this Edict needs ${schema.expected}: edict migrate`,
        ),
    ...(warnings.length > 0
      ? warnings.map((sentence) => warning('durability', sentence))
      : [ok('durability', settings.join(', '))]),
    skew(now, askedAt, answeredAt),
  ]
}

/** It was some time between the two. */
function skew(now: number, askedAt: number, answeredAt: number): Finding {
  const ahead = now < askedAt ? askedAt - now : Math.max(0, now - answeredAt)
  const says = `the clocks of this machine and of the store differ by ${duration(ahead)}`
  if (ahead <= MOST_SKEW) return ok('clock', says)
  return warning(
    'clock',
    `${says}: deadlines, and the times that events say, go by this machine's; leases by the store's`,
  )
}
