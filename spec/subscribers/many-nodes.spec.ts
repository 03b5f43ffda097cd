import { describe, expect, it } from '@jest/globals'
import { onCluster, TIME_FOR_ATTEMPTS, TooLate, type Cluster, type StoreKind } from './nodes/cluster.ts'
import type { Handled } from './nodes/protocol.ts'
import type { SpawnedNode } from './nodes/spawned-node.ts'

const ids = Array.from({ length: 12 }, (_, index) => `c${index}`)

function byStream(handled: readonly Handled[]): ReadonlyMap<string, readonly number[]> {
  const streams = new Map<string, number[]>()
  for (const { streamId, position } of handled) {
    const positions = streams.get(streamId)
    if (positions === undefined) streams.set(streamId, [position])
    else positions.push(position)
  }
  return streams
}

/** The positions as they came for the first time: an event may come again after a crash. */
function firsts(positions: readonly number[]): readonly number[] {
  return [...new Set(positions)]
}

function ascending(positions: readonly number[]): readonly number[] {
  return [...positions].sort((one, other) => one - other)
}

describe.each<StoreKind>(['SQLite', 'PostgreSQL'])('many processes on one %s', (kind) => {
  const on = (run: (cluster: Cluster) => Promise<void>) => () => onCluster(kind, run)

  /** The node that has handled an event that nobody has handled yet when this is called. */
  async function ownerOf(cluster: Cluster): Promise<SpawnedNode> {
    await cluster.append(['probe'])
    const { appended, nodes } = cluster
    await cluster.until(() => cluster.positions().has(appended), `position ${appended} being handled`)
    const found = nodes.filter(({ handled }) => handled.some(({ position }) => position === appended))
    expect(found).toHaveLength(1)
    return found[0] as SpawnedNode
  }

  it(
    'have one owner of a handler, replaced within seconds where it is killed, and at once where it stops',
    on(async (cluster) => {
      const { append, until, positions } = cluster
      await cluster.start(3, { delay: 10 })
      const first = await ownerOf(cluster)
      await append(ids)
      await until(() => positions().size === 13, 'everything being handled')
      expect(first.handled.map(({ position }) => position)).toEqual(Array.from({ length: 13 }, (_, index) => index + 1))

      // In the middle of its work.
      for (let round = 0; round < 3; round++) await append(ids)
      await until(() => first.handled.length > 20, 'the owner being at work')
      await first.kill()
      if (first.handled.length === 49) throw new TooLate('the owner had done all of its work when it was killed')
      await until(() => positions().size === 49, 'another one having taken over')
      const second = await ownerOf(cluster)

      const before = await cluster.owner()
      await second.stop()
      // It does not wait for the end of its lease.
      expect(await cluster.owner()).not.toBe(before)
      await append(['c1'])
      await until(() => positions().size === 51, 'the last one having taken over')
      const third = cluster.nodes.find((node) => node !== first && node !== second) as SpawnedNode
      // Nothing came again: the place was written before it was given up.
      expect(third.handled.map(({ position }) => position)).toEqual([51])

      for (const { handled } of [first, second, third]) {
        const inHand = handled.map(({ position }) => position)
        expect(inHand).toEqual(ascending(inHand))
      }
      expect(firsts([...first.handled, ...second.handled, ...third.handled].map(({ position }) => position))).toEqual(
        Array.from({ length: 51 }, (_, index) => index + 1),
      )
    }),
    TIME_FOR_ATTEMPTS,
  )

  it(
    'spread the partitions of a handler, and spread them anew when one comes, goes, or is killed',
    on(async (cluster) => {
      const { append, until, positions, spread } = cluster
      const settled = async (...expected: readonly number[]) =>
        until(async () => JSON.stringify(await spread()) === JSON.stringify(expected), `a spread of ${expected.join()}`)
      await cluster.start(2, { concurrency: 4, delay: 1 })
      await settled(2, 2)
      await append(ids)
      const third = cluster.start(1, { concurrency: 4, delay: 1 })
      while (cluster.nodes[2]?.isStarted !== true) await append(ids)
      await third
      await settled(1, 1, 2)
      await append(ids)
      await until(() => positions().size === cluster.appended, 'everything being handled by three')
      const beforeCrash = cluster.handled().length
      // Nobody crashed, so nothing came twice, whatever moved.
      expect(beforeCrash).toBe(cluster.appended)
      const [, killed, stopped] = cluster.nodes as [SpawnedNode, SpawnedNode, SpawnedNode]
      for (let round = 0; round < 5; round++) await append(ids)
      await killed.kill()
      await append(ids)
      await settled(2, 2)
      await stopped.stop()
      await settled(4)
      await append(ids)
      await until(() => positions().size === cluster.appended, 'everything being handled by those who are left')
      const streams = byStream(cluster.handled())
      expect(streams.size).toBe(12)
      for (const handled of streams.values()) expect(firsts(handled)).toEqual(ascending(firsts(handled)))
    }),
    TIME_FOR_ATTEMPTS,
  )

  it(
    'wait with strong consistency for a handler that runs in another one',
    on(async (cluster) => {
      const { until } = cluster
      await cluster.start(2, { delay: 50 })
      const busy = await ownerOf(cluster)
      const other = cluster.nodes.find((node) => node !== busy) as SpawnedNode
      for (let round = 1; round <= 5; round++) {
        const number = other.dispatch('strong', round)
        await until(() => other.dispatched.some((one) => one.number === number), 'the answer')
        const answer = other.dispatched.find((one) => one.number === number)
        expect(answer?.failure).toBeUndefined()
        // What it tells comes by another pipe than the answer.
        const handled = () => busy.handled.find(({ streamId, by }) => streamId === 'counter-strong' && by === round)
        await until(() => handled() !== undefined, 'word of the event')
        expect(handled()?.at).toBeLessThanOrEqual(answer?.at ?? 0)
      }
      expect(other.handled).toEqual([])

      // One that hangs keeps its place for a lease: whoever waits less long is told who is behind.
      busy.signal('SIGSTOP')
      const number = other.dispatch('strong', 6, 300)
      await until(() => other.dispatched.some((one) => one.number === number), 'the answer')
      busy.signal('SIGCONT')
      expect(other.dispatched.at(-1)).toMatchObject({ failure: 'consistency_timeout', laggards: ['recorder'] })
    }),
    TIME_FOR_ATTEMPTS,
  )

  it(
    'wait with strong consistency for partitions that run everywhere',
    on(async (cluster) => {
      const { until, spread } = cluster
      await cluster.start(2, { concurrency: 4, delay: 5 })
      await until(async () => (await spread()).join() === '2,2', 'a spread')
      const [one, two] = cluster.nodes as [SpawnedNode, SpawnedNode]
      for (const id of ids) {
        const number = one.dispatch(id, 1)
        await until(() => one.dispatched.some((answer) => answer.number === number), 'the answer')
        const answer = one.dispatched.at(-1)
        expect(answer?.failure).toBeUndefined()
        const handled = () => cluster.handled().find(({ streamId }) => streamId === `counter-${id}`)
        await until(() => handled() !== undefined, 'word of the event')
        expect(handled()?.at).toBeLessThanOrEqual(answer?.at ?? 0)
      }
      expect([one, two].map(({ handled }) => handled.length > 0)).toEqual([true, true])
    }),
    TIME_FOR_ATTEMPTS,
  )
})
