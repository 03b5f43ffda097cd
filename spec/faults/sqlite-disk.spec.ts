import { describe, expect, it } from '@jest/globals'
import { Cluster } from './cluster.ts'
import { seenAtLast, timeToSee } from './seen-at-last.ts'

/** Of 512 or 1,024 bytes: the log of a SQLite file grows beyond them in a moment. */
const MOST_BLOCKS = 1_000

describe('A node whose disk has no room for what it writes to a SQLite file', () => {
  it('says so of each command, keeps all that it acknowledged, and its successor goes on where there is room', async () => {
    await using cluster = await Cluster.start({}, 0)
    const node = await cluster.add('first', { fileLimit: MOST_BLOCKS })
    await node.said('refused', 5)
    for (const { error } of node.of('refused')) expect(error).toMatch(/sqlite event store|timed out|ran out/)
    expect(node.count('acknowledged')).toBeGreaterThan(0)
    await cluster.kill(node)
    await cluster.add('first')
    await cluster.settle()
    expect(await cluster.violations()).toEqual([])
  }, 180_000)

  it(
    'would be seen to lose what it acknowledged before it was written',
    async () => {
      await seenAtLast(async () => {
        const plants = ['acknowledge-before-commit'] as const
        await using cluster = await Cluster.start({ plants, handles: false, projects: false }, 0)
        const node = await cluster.add('first', { fileLimit: MOST_BLOCKS })
        await node.said('acknowledged', 400)
        await cluster.kill(node)
        expect((await cluster.violations()).join('\n')).toMatch(/was acknowledged, and is lost/)
      })
    },
    timeToSee(),
  )
})
