import type { Cluster } from './cluster.ts'
import type { Handled } from './ledger.ts'
import { until, type NodeProcess } from './node-process.ts'

/** So many events the other owner handles before the one that was paused comes back, and both after that. */
const EVENTS = 30

/**
 * Pauses the owner of the handler for longer than its lease, so that another takes over, and lets it go on.
 *
 * @returns what it handled after the other had begun: the event in hand, and nothing else
 */
export async function pauseOwner(
  cluster: Cluster,
  canBePaused: () => boolean = () => true,
): Promise<readonly Handled[]> {
  const owner = await pausedOwner(cluster, canBePaused)
  const ofOthers = () => cluster.handled.filter(({ node }) => node !== owner.name)
  await until(
    () => ofOthers().length >= EVENTS,
    'another owner',
    () => {
      cluster.assertAlive()
    },
  )
  const paused = cluster.handled.length
  owner.resume()
  const { length } = owner.lines
  // It wakes, finds out, and says so; where nothing tells it, it goes on.
  await until(
    () =>
      owner.lines.slice(length).some(({ kind }) => kind === 'logged') || handledBy(owner, cluster, paused).length > 1,
    'the paused owner to find out',
  )
  const { length: handled } = cluster.handled
  await until(() => cluster.handled.length >= handled + EVENTS, 'more events to be handled')
  await cluster.settle()
  return handledBy(owner, cluster, paused)
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
    if (canBePaused()) return owner
    owner.resume()
  }
}
