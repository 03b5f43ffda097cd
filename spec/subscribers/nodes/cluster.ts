import { application, type EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import { temporaryFile } from '../../adapters/sqlite/temporary-file.ts'
import { Add, counterRouter, recordingLogger } from '../../support/counter.ts'
import { freshDatabase } from '../../support/postgres-server.ts'
import type { Handled, NodeOptions } from './protocol.ts'
import { SpawnedNode } from './spawned-node.ts'

export type StoreKind = 'SQLite' | 'PostgreSQL'

interface Place {
  /** For the nodes. */
  readonly address: string
  readonly open: () => EventStore
  readonly remove: () => void | Promise<void>
}

const LEASE = 3_000
const CLAIM_INTERVAL = 200

async function placeOf(kind: StoreKind): Promise<Place> {
  if (kind === 'SQLite') {
    const { path, remove } = temporaryFile()
    return { address: path, open: () => sqliteEventStore(path, { busyTimeout: 60_000 }), remove }
  }
  const { connectionString, drop } = await freshDatabase()
  return { address: connectionString, open: () => postgresEventStore({ connectionString }), remove: drop }
}

/** Several processes that run one application on one store, and this process, which appends and looks. */
const ATTEMPTS = 4
/** Milliseconds for a case that may have to be begun again. */
export const TIME_FOR_ATTEMPTS = ATTEMPTS * 90_000

/** Thrown where a case came to nothing since what it wanted to see was over too soon. */
export class TooLate extends Error {}

/**
 * Runs a case on a cluster of its own. Where a process stood still for so long that it had to lose its place, as on a machine that is
 * paused, a failure says nothing: the case is begun again.
 */
export async function onCluster(kind: StoreKind, run: (cluster: Cluster) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const cluster = await openCluster(kind)
    const watch = new StandstillWatch()
    try {
      await run(cluster)
      return
    } catch (thrown) {
      const saysNothing = thrown instanceof TooLate || watch.stoodStill || cluster.nodes.some((node) => node.stoodStill)
      if (!saysNothing || attempt === ATTEMPTS) throw thrown
    } finally {
      watch.end()
      await cluster.close()
    }
  }
}

/** Whether this process stood still. */
class StandstillWatch {
  stoodStill = false
  #lastSeen = Date.now()
  readonly #timer = setInterval(() => {
    const now = Date.now()
    this.stoodStill ||= now - this.#lastSeen > LEASE / 2
    this.#lastSeen = now
  }, 20)

  end(): void {
    clearInterval(this.#timer)
  }
}

async function openCluster(kind: StoreKind) {
  const place = await placeOf(kind)
  const store = place.open()
  const writer = application({
    name: 'writer',
    router: counterRouter,
    eventStore: store,
    logger: recordingLogger(),
  })
  await writer.start()
  const nodes: SpawnedNode[] = []
  let appended = 0

  /** Waits for a condition, and tells what the nodes complained of where it does not come true. */
  async function until(condition: () => boolean | Promise<boolean>, what: string, patience = 60_000): Promise<void> {
    const end = Date.now() + patience
    while (!(await condition())) {
      const complaints = nodes.map(({ errors }) => errors).join('\n')
      if (Date.now() > end) throw new Error(`${what} did not come true\n${complaints}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  return {
    store,
    nodes,
    until,
    /** Starts processes, which run the handler when this is done. */
    async start(count: number, options: Partial<NodeOptions> = {}): Promise<SpawnedNode[]> {
      const all = { store: place.address, lease: LEASE, claimInterval: CLAIM_INTERVAL, ...options }
      const started = Array.from({ length: count }, () => new SpawnedNode(all))
      nodes.push(...started)
      const areThere = () => started.every(({ isStarted, hasEnded }) => isStarted || hasEnded)
      await until(areThere, 'the start of the nodes', 80_000)
      for (const { hasEnded, errors } of started) if (hasEnded) throw new Error(`a node did not start: ${errors}`)
      return started
    },
    /** Appends one event to each of some streams: 1, 2, 3, … in the order of their coming. */
    async append(ids: readonly string[]): Promise<void> {
      for (const id of ids) await writer.dispatch(Add({ id, by: ++appended }))
    },
    get appended(): number {
      return appended
    },
    /** What was handled, by whichever node, in the order of time. */
    handled(): readonly (Handled & { readonly at: number })[] {
      return nodes.flatMap(({ handled }) => handled).sort((one, other) => one.at - other.at)
    },
    /** The positions that somebody has handled. */
    positions(): ReadonlySet<number> {
      return new Set(nodes.flatMap(({ handled }) => handled.map(({ position }) => position)))
    },
    /** Who has the place of the handler, where there is one of it. */
    async owner(): Promise<string | undefined> {
      return (await store.listCheckpoints('recorder')).find(({ name }) => name === 'recorder')?.owner
    },
    /** How many partitions each of the live nodes holds, the least first. */
    async spread(): Promise<readonly number[]> {
      const states = await store.listCheckpoints('recorder')
      const members = states.filter(({ name, owner }) => name.startsWith('recorder@') && owner !== undefined)
      const partitions = states.filter(({ name }) => name.startsWith('recorder#'))
      return members
        .map((member) => partitions.filter(({ owner }) => owner === member.owner).length)
        .sort((one, other) => one - other)
    },
    async close(): Promise<void> {
      await Promise.all(nodes.filter(({ hasEnded }) => !hasEnded).map((node) => node.kill()))
      await writer.stop()
      await place.remove()
    },
  }
}

export type Cluster = Awaited<ReturnType<typeof openCluster>>
