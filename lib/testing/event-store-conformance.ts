import type { MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError } from '../errors.ts'
import type { EventStore, EventStoreCapabilities } from '../event-store/event-store.ts'
import { appending } from './conformance/appending.ts'
import { archivedStreams } from './conformance/archived-streams.ts'
import { assertEqual } from './conformance/assertions.ts'
import { atomicAppends } from './conformance/atomic-appends.ts'
import { badArguments } from './conformance/bad-arguments.ts'
import { checkpoints } from './conformance/checkpoints.ts'
import { concurrentAppends } from './conformance/concurrent-appends.ts'
import { claimingCommands } from './conformance/claiming-commands.ts'
import type { CaseDefinition, CaseGroup } from './conformance/conformance-case.ts'
import { deletedStreams } from './conformance/deleted-streams.ts'
import { durability } from './conformance/durability.ts'
import { expectedVersions } from './conformance/expected-versions.ts'
import { keepingCommands } from './conformance/keeping-commands.ts'
import { leases } from './conformance/leases.ts'
import { lifecycle } from './conformance/lifecycle.ts'
import { projectionCheckpoints } from './conformance/projection-checkpoints.ts'
import { projections } from './conformance/projections.ts'
import { randomWork } from './conformance/random-work.ts'
import { readingAll } from './conformance/reading-all.ts'
import { readingAtScale } from './conformance/reading-at-scale.ts'
import { readingByCorrelation } from './conformance/reading-by-correlation.ts'
import { readingByTenant } from './conformance/reading-by-tenant.ts'
import { readingStreams } from './conformance/reading-streams.ts'
import { repeatedCommands } from './conformance/repeated-commands.ts'
import { severalProcesses } from './conformance/several-processes.ts'
import { fencedSnapshots } from './conformance/fenced-snapshots.ts'
import { settlingCommands } from './conformance/settling-commands.ts'
import { snapshots } from './conformance/snapshots.ts'
import { StoreUnderTest, type MadeStore } from './conformance/store-under-test.ts'
import { storedFormat } from './conformance/stored-format.ts'
import { storingCommands } from './conformance/storing-commands.ts'
import { streams } from './conformance/streams.ts'
import { expiringCommands } from './conformance/expiring-commands.ts'
import { strictCommands } from './conformance/strict-commands.ts'
import { subscriptions } from './conformance/subscriptions.ts'
import { watching } from './conformance/watching.ts'

/** A sentence about the behaviour of an event store, which `run` proves: it rejects where the store does not behave. */
export interface ConformanceCase {
  readonly name: string
  readonly group: string
  /** Why the case does not concern this store. Do not run it then. */
  readonly skip?: string
  run(): Promise<void>
}

/** What the suite has to know of the store that it is run on. */
export interface ConformanceOptions {
  /** What the store declares: cases for what it cannot do are marked to be skipped, with the reason. */
  readonly capabilities: EventStoreCapabilities
  /** Cases that are not to be run, by `group: name`, and why. */
  readonly skip?: Readonly<Record<string, string>>
}

/** Makes a store with no data that no other case uses; each case asks for its own. */
export type MakeStore = () => MaybePromise<EventStore | MadeStore>

/** A case opens its store no more often than this. */
const MOST_OPENS = 5

const groups: readonly CaseGroup[] = [
  lifecycle,
  expectedVersions,
  appending,
  concurrentAppends,
  atomicAppends,
  repeatedCommands,
  readingStreams,
  readingAll,
  readingByCorrelation,
  readingByTenant,
  readingAtScale,
  storedFormat,
  streams,
  archivedStreams,
  deletedStreams,
  watching,
  subscriptions,
  snapshots,
  checkpoints,
  leases,
  fencedSnapshots,
  projections,
  projectionCheckpoints,
  storingCommands,
  claimingCommands,
  settlingCommands,
  strictCommands,
  expiringCommands,
  keepingCommands,
  randomWork,
  badArguments,
  durability,
  severalProcesses,
]

/**
 * The cases that every event store has to pass, for any test runner: run each that is not to be skipped. The store must stand
 * behind `checkedEventStore`. `run` opens and closes it.
 *
 * @example
 * import { inMemoryEventStore } from 'edict'
 * import { eventStoreConformance } from 'edict/testing'
 *
 * const { capabilities } = inMemoryEventStore()
 * for (const { name, skip, run } of eventStoreConformance(inMemoryEventStore, { capabilities })) {
 *   if (skip === undefined) await run()
 *   else console.log(`skipped: ${name}, as ${skip}`)
 * }
 *
 * @throws RangeError where `skip` names a case that does not exist
 */
export function eventStoreConformance(makeStore: MakeStore, options: ConformanceOptions): readonly ConformanceCase[] {
  const cases = groups.flatMap((group) =>
    group.cases.map((definition) => asCase(group, definition, makeStore, options)),
  )
  for (const skipped of Object.keys(options.skip ?? {})) {
    if (cases.some((each) => keyOf(each) === skipped)) continue
    throw new RangeError(`there is no case "${skipped}" in the event store conformance suite`)
  }
  return cases
}

function keyOf(one: { readonly group: string; readonly name: string }): string {
  return `${one.group}: ${one.name}`
}

function asCase(
  { name: group }: CaseGroup,
  definition: CaseDefinition,
  makeStore: MakeStore,
  { capabilities, skip = {} }: ConformanceOptions,
): ConformanceCase {
  const { name } = definition
  const reason = skip[keyOf({ group, name })] ?? definition.skip?.(capabilities)
  return {
    name,
    group,
    ...(reason !== undefined && { skip: reason }),
    run: async () => {
      const made = new MadeStores(makeStore, capabilities)
      try {
        await definition.run(await made.first(definition.closed !== true))
      } catch (thrown) {
        // What went wrong first is what is told, not what that left behind.
        await made.cleanUp().catch(() => undefined)
        throw thrown
      }
      await made.cleanUp()
    },
  }
}

/** A case that opens its store by itself may have failed before it closed it. */
async function closeWhatIsOpen(store: EventStore): Promise<void> {
  try {
    for (let opens = 0; opens < MOST_OPENS; opens++) await store.close()
  } catch (thrown) {
    if (!(thrown instanceof NotRunningError)) throw thrown
  }
}

/** The stores that one case has made, each of which is closed and destroyed in the end. */
class MadeStores {
  readonly #makeStore: MakeStore
  readonly #capabilities: EventStoreCapabilities
  readonly #cleanUps: (() => MaybePromise<void>)[] = []

  constructor(makeStore: MakeStore, capabilities: EventStoreCapabilities) {
    this.#makeStore = makeStore
    this.#capabilities = capabilities
  }

  async first(opened: boolean): Promise<StoreUnderTest> {
    const { store, peer, projections } = await this.#make()
    assertEqual({ ...store.capabilities }, { ...this.#capabilities }, 'the capabilities that the store declares')
    if (opened) await this.#open(store)
    else this.#cleanUps.push(() => closeWhatIsOpen(store))
    return new StoreUnderTest(
      store,
      peer && (async () => this.#open(await peer())),
      async () => this.#open((await this.#make()).store),
      projections,
    )
  }

  async #make(): Promise<MadeStore> {
    const made = await this.#makeStore()
    const whole = 'store' in made ? made : { store: made }
    if (whole.destroy) this.#cleanUps.push(whole.destroy)
    return whole
  }

  async #open(store: EventStore): Promise<EventStore> {
    await store.open()
    this.#cleanUps.push(() => store.close())
    return store
  }

  /** All of it, though a part fails: the first failure is thrown in the end. */
  async cleanUp(): Promise<void> {
    const failures: unknown[] = []
    for (const cleanUp of this.#cleanUps.reverse()) {
      try {
        await cleanUp()
      } catch (thrown) {
        failures.push(thrown)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
