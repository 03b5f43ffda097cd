import { rmSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from '@jest/globals'
import { ServerProcess } from '../support/server-process.ts'
import { edict, shopFile } from './cli-harness.ts'
import { PlaceOrder, type shop } from './shop-app.ts'
import { sqliteShop, withShop } from './shop-stores.ts'

interface Health {
  readonly status: string
  readonly reasons: readonly string[]
  readonly workers: readonly { readonly worker: number; readonly pid: number }[]
}

const started: ServerProcess[] = []

afterEach(async () => {
  for (const server of started.splice(0)) await server.kill()
}, 180_000)

function start(words: readonly string[], env: NodeJS.ProcessEnv = {}): ServerProcess {
  const server = ServerProcess.start(['--app', shopFile, ...words], env)
  started.push(server)
  return server
}

async function health(
  port: number | undefined,
  path: string,
): Promise<{ readonly code: number; readonly body: Health }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { code: response.status, body: (await response.json()) as Health }
}

/** Lets a server run some orders that are queued here, and waits until it has. */
async function ordersRun(app: ReturnType<typeof shop>, names: readonly string[]): Promise<void> {
  const receipts = await Promise.all(names.map((orderId) => app.enqueue(PlaceOrder({ orderId, amount: 1 }))))
  await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 120_000 })))
}

describe('edict server', () => {
  const file = sqliteShop()

  it('runs queued commands and handlers until it is asked to end, drains however often it is asked, and ends with 0', async () => {
    const server = start(['--port', '0', '--concurrency', '4'])
    const { port } = await server.logged('health endpoint listens')
    await server.logged('server started')
    expect(await health(port, '/health/ready')).toEqual({
      code: 200,
      body: { status: 'ready', application: 'shop', reasons: [] },
    })
    expect(await health(port, '/health/live')).toMatchObject({ code: 200, body: { status: 'live' } })
    expect((await health(port, '/health')).code).toBe(404)

    await withShop(async (app) => {
      // What the shop itself would run of the handlers, it leaves to the server, who has their places.
      await ordersRun(app, ['a', 'b', 'c'])
    })
    server.signal('SIGTERM')
    server.signal('SIGINT')
    server.signal('SIGTERM')
    expect(await server.exit()).toBe(0)
    expect(server.other).toEqual([])
    expect(server.log.map(({ message }) => message)).toEqual(expect.arrayContaining(['server drains', 'server ended']))
    expect((await edict(['commands', 'depth', '--json'])).json()).toMatchObject({
      states: { completed: 3, running: 0 },
    })
    expect((await edict(['handlers', 'list', '--json'])).json()).toMatchObject([{ state: 'free' }, { state: 'free' }])
  }, 300_000)

  it('says so where there is no such port', async () => {
    const server = start(['--port', '99999'])
    expect(await server.exit()).toBe(2)
    expect(server.other.join()).toContain('it cannot listen on 127.0.0.1:99999')
  }, 180_000)

  it('leaves no process behind where the one that watches over it is killed while it is loading', async () => {
    const server = start(['--workers', '1'])
    await server.logged('server starts its processes')
    await server.kill()
    // The process shares its output: that is over when both are.
    expect(await server.exit()).toBeUndefined()
  }, 180_000)

  it('watches over several processes, and starts another one for one that was killed', async () => {
    const held = `${file.address}.held`
    const server = start(['--workers', '2', '--port', '0'], { SHOP_HELD: held })
    const { port } = await server.logged('health endpoint listens')
    await server.logged('server started', 2)
    const [first] = (await health(port, '/health/live')).body.workers
    await withShop(async (app) => {
      await ordersRun(app, ['a', 'b'])
      // The one that follows is not there before it may be.
      writeFileSync(held, '')
      process.kill(first!.pid, 'SIGKILL')
      await server.logged('a process of the server has ended; another one follows')
      const { code, body } = await health(port, '/health/ready')
      expect({ code, reasons: body.reasons }).toEqual({ code: 503, reasons: [expect.stringMatching(/^worker 1: /)] })
      rmSync(held)
      await ordersRun(app, ['c', 'd'])
      await server.logged('server started', 3)
    })
    expect((await health(port, '/health/ready')).body.status).toBe('ready')
    server.signal('SIGTERM')
    expect(await server.exit()).toBe(0)
    expect(server.log.filter(({ message }) => message === 'server ended')).toHaveLength(3)
  }, 300_000)

  it('gives up where the application cannot be loaded, and says why once', async () => {
    const server = start(['--workers', '1', '--app', 'not-there.ts'])
    expect(await server.exit()).toBe(3)
    expect(server.other.join('\n')).toContain('there is no file')
  }, 180_000)
})
