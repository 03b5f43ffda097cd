import type { SnapshotPolicy } from '../aggregate/snapshots.ts'
import { checkedConsistency, checkedMilliseconds, checkedWholeNumber } from '../dispatch/options.ts'
import type { DispatchDefaults } from '../dispatch/route-plan.ts'
import { DefinitionError } from '../errors.ts'
import { mustAppendAtomically } from '../event-store/atomic-streams.ts'
import { DEFAULT_LEASE_MS } from '../event-store/checkpoint.ts'
import { DEFAULT_CLAIM_INTERVAL_MS } from '../event-store/checkpoint-watch.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { EventProcessing } from '../messages/event-processing.ts'
import type { Upcaster } from '../messages/upcaster.ts'
import { isWhole } from '../messages/whole-number.ts'
import { checkedLifespan, type Lifespan } from '../routing/lifespan.ts'
import type { Instrumentation } from '../telemetry/instrumentation.ts'
import { routingOf } from '../routing/routing.ts'

// Each part of an application's definition is looked at by itself; what is wrong is named together with the application.

const DEFAULT_CACHED_AGGREGATES = 10_000
/** A shorter one would run out while a process is merely busy. */
export const SHORTEST_LEASE_MS = 100

export function checkedDefaults(name: string, given: unknown): Partial<DispatchDefaults> {
  mustBeObject(name, 'defaults', given)
  const checked: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    checked[key] = inDefinition(name, () => checkedDefault(key, value))
  }
  return checked
}

function checkedDefault(key: string, value: unknown): unknown {
  switch (key) {
    case 'consistency':
      if (Array.isArray(value)) throw new DefinitionError(`defaults.consistency is 'eventual' or 'strong'`)
      return checkedConsistency(value)
    case 'timeout':
    case 'consistencyTimeout':
      return checkedMilliseconds(key, value)
    case 'retryAttempts':
      return checkedWholeNumber(key, value)
    default:
      throw new DefinitionError(`there is no default ${key}`)
  }
}

function inDefinition<Value>(name: string, check: () => Value): Value {
  try {
    return check()
  } catch (cause) {
    throw new DefinitionError(`the application ${name}: ${(cause as Error).message}`, { cause })
  }
}

export function checkedSnapshots(
  name: string,
  router: object,
  given: unknown,
): ReadonlyMap<string, Required<SnapshotPolicy>> {
  mustBeObject(name, 'snapshots', given)
  const known = new Set([...(routingOf(router)?.routes.values() ?? [])].map((route) => route.aggregate.name))
  const policies = new Map<string, Required<SnapshotPolicy>>()
  for (const [aggregate, policy] of Object.entries(given)) {
    if (!known.has(aggregate)) {
      throw new DefinitionError(
        `the application ${name}: snapshots names ${aggregate}, and its aggregates are ${[...known].join(', ')}`,
      )
    }
    const where = `snapshots.${aggregate}`
    const { every, version = 1 } = checkedKeys(name, where, policy, ['every', 'version'])
    policies.set(aggregate, {
      every: every === Infinity ? Infinity : atLeastOne(name, `${where}.every`, every),
      version: atLeastOne(name, `${where}.version`, version),
    })
  }
  return policies
}

/** @throws {UnsupportedCapabilityError} `unsupported_capability` where the store cannot keep what has to be unique, or several aggregates in one unit */
export function checkAtomicStreams(router: object, store: EventStore): void {
  for (const { aggregate, unit } of routingOf(router)?.routes.values() ?? []) {
    if (unit?.multipleAggregates === true) {
      mustAppendAtomically(store, `multipleAggregates of the command handler of ${aggregate.name} needs`)
    }
    if (aggregate.unique !== undefined) mustAppendAtomically(store, `the unique values of ${aggregate.name} need`)
  }
}

export function checkedSubscriptions(
  name: string,
  given: unknown,
): { readonly lease: number; readonly claimInterval: number } {
  const { lease = DEFAULT_LEASE_MS, claimInterval = DEFAULT_CLAIM_INTERVAL_MS } = checkedKeys(
    name,
    'subscriptions',
    given,
    ['lease', 'claimInterval'],
  )
  return {
    lease: atLeast(SHORTEST_LEASE_MS, name, 'subscriptions.lease', lease),
    claimInterval: atLeastOne(name, 'subscriptions.claimInterval', claimInterval),
  }
}

export function checkedEventProcessing(name: string, given: unknown): EventProcessing {
  if (given === 'sync' || given === 'async') return given
  throw new DefinitionError(`the application ${name}: eventProcessing is 'sync' or 'async'`)
}

/** What the routes that do not say theirs have. */
export function checkedDefaultLifespan(name: string, given: unknown): Lifespan | undefined {
  if (given === undefined) return undefined
  return inDefinition(name, () => checkedLifespan(given))
}

/** The capacity of the cache of live aggregates. */
export function checkedCache(name: string, given: unknown): number {
  const { aggregates = DEFAULT_CACHED_AGGREGATES } = checkedKeys(name, 'cache', given, ['aggregates'])
  return atLeastOne(name, 'cache.aggregates', aggregates)
}

export function checkedUpcasters(name: string, router: object, given: unknown): readonly Upcaster[] {
  const isUpcaster = (one: unknown) =>
    typeof (one as Partial<Upcaster> | null | undefined)?.upcast === 'function' &&
    Array.isArray((one as Partial<Upcaster>).into)
  if (Array.isArray(given) && given.every(isUpcaster))
    return notRenamingToday(name, router, given as readonly Upcaster[])
  throw new DefinitionError(`the application ${name}: upcasters must be a list of upcaster(…)`)
}

/** What is written today under a name must not be read under another one: a state after a restart would not be that of before. */
function notRenamingToday(name: string, router: object, upcasters: readonly Upcaster[]): readonly Upcaster[] {
  for (const { aggregate } of routingOf(router)?.routes.values() ?? []) {
    const old = upcasters.find(({ type, renames }) => renames === true && aggregate.events.has(type))
    if (old === undefined) continue
    throw new DefinitionError(
      `the application ${name}: renamedEvent('${old.type}', …) names an event that ${aggregate.name} has still`,
    )
  }
  return upcasters
}

/** A thing that comes in through a door of the application: it has what will be called. */
export function checkedDoor<Door extends object>(
  name: string,
  option: string,
  given: Door | undefined,
  functions: readonly (keyof Door & string)[],
): Door | undefined {
  if (given === undefined) return undefined
  const missing = functions.find((key) => typeof (given as Partial<Door> | null)?.[key] !== 'function')
  if (missing === undefined) return given
  throw new DefinitionError(`the application ${name}: ${option} needs the function ${missing}`)
}

export function checkedInstrumentation(name: string, given: Instrumentation | undefined): Instrumentation | undefined {
  const checked = checkedDoor(name, 'instrumentation', given, ['around'])
  if (checked === undefined || Array.isArray(checked.operations)) return checked
  throw new DefinitionError(`the application ${name}: instrumentation needs operations, a list of their names`)
}

export function checkedKeys(
  name: string,
  option: string,
  given: unknown,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  mustBeObject(name, option, given)
  const unknown = Object.keys(given).find((key) => !keys.includes(key))
  if (unknown === undefined) return given as Readonly<Record<string, unknown>>
  throw new DefinitionError(`the application ${name}: ${option} has no ${unknown}; it has ${keys.join(', ')}`)
}

function mustBeObject(name: string, option: string, given: unknown): asserts given is object {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return
  throw new DefinitionError(`the application ${name}: ${option} must be an object`)
}

export function atLeastOne(name: string, option: string, value: unknown): number {
  return atLeast(1, name, option, value)
}

export function atLeast(least: number, name: string, option: string, value: unknown): number {
  if (isWhole(value, least)) return value
  throw new DefinitionError(`the application ${name}: ${option} must be a whole number from ${least}`)
}
