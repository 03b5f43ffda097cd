import type { Cluster } from './cluster.ts'
import type { Handled } from './ledger.ts'
import { until, type NodeProcess } from './node-process.ts'

/** So many events the other owner handles before the one that was paused comes back, and both after that. */
const EVENTS = 30

/** The name of the handler's checkpoint. */
const HANDLER = 'follower'

/**
 * Pauses the owner of the handler for longer than its lease, so that another takes over, and lets it go on.
 *
 * @returns what it handled of that which the other had written down as handled by then: the event in hand, and nothing else. What comes
 * behind that may be its own again, as where the other one was too slow to keep its lease.
 */
export async function pauseOwner(
  cluster: Cluster,
  canBePaused: () => boolean = () => true,
): Promise<readonly Handled[]> {
  const owner = await pausedOwner(cluster, canBePaused)
  const { length: before } = cluster.handled
  const ofOthers = () => cluster.handled.slice(before).filter(({ node }) => node !== owner.name)
  await until(
    () => ofOthers().length >= EVENTS,
    'another owner',
    () => {
      cluster.assertAlive()
    },
  )
  const writtenDown = async () =>
    (await cluster.reader.checkpoints()).find(({ name }) => name === HANDLER)?.position ?? 0
  const half = ofOthers()[EVENTS / 2]?.position ?? 0
  await until(async () => (await writtenDown()) >= half, 'what the other owner has done to be written down')
  const place = await writtenDown()
  const paused = cluster.handled.length
  const late = () => handledBy(owner, cluster, paused).filter(({ position }) => position <= place)
  owner.resume()
  const { length } = owner.lines
  // It wakes, finds out, and says so; where nothing tells it, it goes on.
  await until(
    () => owner.lines.slice(length).some(({ kind }) => kind === 'logged') || late().length > 1,
    'the paused owner to find out',
  )
  const { length: handled } = cluster.handled
  await until(() => cluster.handled.length >= handled + EVENTS, 'more events to be handled')
  await cluster.settle()
  return late()
}

function handledBy({ name }: NodeProcess, cluster: Cluster, from: number): readonly Handled[] {
  return cluster.handled.slice(from).filter(({ node }) => node === name)
}

/** One that is stopped in the middle of what nobody else can do meanwhile would be waited for: it is tried again. */
async function pausedOwner(cluster: Cluster, canBePaused: () => boolean = () => true): Promise<NodeProcess> {
  for (;;) {
    await until(() => cluster.handled.length >= EVENTS, 'an owner')
    const name = cluster.handled.at(-1)?.node
    const owner = cluster.nodes.find((node) => node.name === name)
    if (owner === undefined) throw new Error(`${name} is not there any more`)
    owner.pause()
    if (canBePaused() && cluster.handled.at(-1)?.node === name) return owner
    owner.resume()
  }
}
