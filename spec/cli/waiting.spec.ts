import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { sqliteEventStore } from 'edict/sqlite'
import { until } from '../faults/node-process.ts'
import { shopFile } from './cli-harness.ts'
import { ordersPlaced, sqliteShop } from './shop-stores.ts'

const program = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url))
const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Milliseconds that the process may take to start. */
const PATIENCE = 50_000

describe('a command that waits for another process', () => {
  const file = sqliteShop()

  it('waits, though nothing else keeps its own process alive', async () => {
    await ordersPlaced([1, 2])
    const store = sqliteEventStore(file.address)
    await store.open()
    // Another one has begun to build it.
    const build = await store.claimCheckpoint('amounts:1.2', { owner: 'another', startAfter: 0, lease: 600_000 })
    const words = ['projections', 'rebuild', 'amounts', '--app', shopFile]
    const child = spawn(process.execPath, ['--import', 'tsx', program, ...words], {
      cwd: repository,
      env: { ...process.env, SHOP_STORE: file.address },
    })
    const exit = once(child, 'close')
    const [said, complained] = [text(child.stdout), text(child.stderr)]
    try {
      const isOver = () => child.exitCode !== null
      const runs = async () =>
        (await store.listCheckpoints('amounts:1.1')).some(({ owner }) => owner !== undefined) || isOver()
      await until(runs, 'the command to be at work', undefined, PATIENCE)
      await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, 300))])
      await store.releaseCheckpoint('amounts:1.2', build?.epoch ?? 0)
      expect([await exit, await complained, await said]).toEqual([
        [0, null],
        '',
        expect.stringMatching(/^amounts is built anew/),
      ])
    } finally {
      child.kill('SIGKILL')
      await store.close()
    }
  }, 180_000)
})
