import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { readRecordedEvents } from 'edict'
import { sqliteEventStore } from 'edict/sqlite'
import { edict, shopFile } from './cli-harness.ts'
import { ordersPlaced, shopStores, sqliteShop } from './shop-stores.ts'

describe('edict streams', () => {
  const store = sqliteShop()

  it('lists streams in the order in which they began, and shows one', async () => {
    await ordersPlaced([1, 2, 3])
    const listed = await edict(['streams', 'list', '--json', '--limit', '2'])
    expect(listed.lines()).toEqual([
      expect.objectContaining({ streamId: 'order-0', category: 'Order', streamVersion: 2, state: 'active' }),
      expect.objectContaining({ streamId: 'order-1' }),
    ])
    const after = `${listed.lines<{ readonly firstPosition: number }>()[1]!.firstPosition}`
    expect((await edict(['streams', 'list', '--after', after])).stdout).toMatch(
      /^\d+ {2}order-2 {2}Order {2}2 {2}active\n$/,
    )
    const shown = await edict(['streams', 'show', 'order-0', '--json'])
    expect(shown.json()).toMatchObject({ streamId: 'order-0', streamVersion: 2, state: 'active', metadata: {} })
    expect((await edict(['streams', 'show', 'order-0'])).stdout).toMatch(/^version +2$/m)
  })

  it('archives and restores one, and deletes it only for who has confirmed it', async () => {
    await ordersPlaced([1])
    expect((await edict(['streams', 'archive', 'order-0', '--json'])).json()).toMatchObject({ state: 'archived' })
    expect((await edict(['streams', 'restore', 'order-0'])).stdout).toBe('order-0 is active\n')

    const unasked = await edict(['streams', 'delete', 'order-0'])
    expect(unasked).toMatchObject({ exitCode: 4, stdout: '' })
    expect(unasked.stderr).toContain('--yes')
    expect(await edict(['streams', 'delete', 'order-0'], { answer: 'n' })).toMatchObject({ exitCode: 4, stdout: '' })
    expect(await dataOf(store.address)).toHaveLength(2)

    const conflict = await edict(['streams', 'delete', 'order-0', '--yes', '--expected-version', '1'])
    expect(conflict).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('at version 2') })
    const confirmed = await edict(['streams', 'delete', 'order-0'], { answer: 'yes' })
    expect(confirmed).toMatchObject({ exitCode: 0, stdout: 'order-0 is deleted\n' })
    expect(await dataOf(store.address)).toEqual([])
    expect((await edict(['events', '--stream', 'order-0'])).stdout).toContain('(erased)')
  })

  it('says of a stream that is not there that it is not, and ends with 3', async () => {
    for (const words of [['show'], ['archive'], ['delete', '--yes']]) {
      const [name = '', ...options] = words
      const result = await edict(['streams', name, 'order-9', ...options])
      expect(result).toMatchObject({ exitCode: 3, stdout: '', stderr: 'edict: there is no stream order-9\n' })
    }
  })
})

interface Parked {
  readonly handler: string
  readonly streamId: string
  readonly attempts: number
  readonly position: number
}

async function dataOf(path: string): Promise<unknown[]> {
  const store = sqliteEventStore(path)
  await store.open()
  const data: unknown[] = []
  for await (const event of readRecordedEvents(store)) data.push(event.data)
  await store.close()
  return data
}

describe('edict events', () => {
  sqliteShop()

  it('shows the last ones, or those that are asked for, one a line', async () => {
    await ordersPlaced([1, 2, 13])
    const all = (await edict(['events', '--from', '1', '--json'])).lines()
    expect(all.map(({ type }) => type).filter((type) => type === 'OrderPlaced')).toHaveLength(3)
    expect(all.map(({ position }) => position)).toEqual(all.map(({ position }) => position).toSorted((a, b) => a - b))
    // What the handler has set aside is a fact of Edict's own.
    expect(all).toHaveLength(5)
    // Nor does anybody who reads them see Edict's own metadata, as that of a command that a handler sent.
    expect(all).toEqual(all.map(() => expect.objectContaining({ metadata: {} })))
    const internal = (await edict(['events', '--from', '1', '--json', '--internal'])).lines()
    expect(internal.map(({ type }) => type)).toContain('edict.EventParked')
    // What is hidden takes nobody's place.
    expect((await edict(['events', '--limit', '5', '--json'])).lines()).toEqual(all)
    expect((await edict(['events', '--limit', '4', '--from', '2', '--json'])).lines()).toEqual(all.slice(1))

    const last = (await edict(['events', '--limit', '2', '--type', 'OrderPlaced', '--json'])).lines()
    expect(last.map(({ data }) => data)).toEqual([
      { orderId: '1', amount: 2 },
      { orderId: '2', amount: 13 },
    ])
    expect((await edict(['events', '--stream', 'order-1', '--json'])).lines()).toHaveLength(2)
    expect((await edict(['events', '--category', 'Order', '--type', 'OrderConfirmed'])).stdout).toMatch(
      /^\d+ {2}\S+Z {2}OrderConfirmed {2}order-0@2 {2}\{"orderId":"0"\}$/m,
    )
    expect((await edict(['events', '--tenant', 'nobody'])).stdout).toBe('')
  })

  it('shows what followed from what in one correlation, as a tree', async () => {
    await ordersPlaced([1])
    const { correlationId, commandId } = (await edict(['events', '--json'])).lines()[0]!
    const result = await edict(['events', '--correlation', correlationId, '--tree'])
    expect(result.stdout.split('\n').map((line) => line.replace(/command \S+/, 'command'))).toEqual([
      'command',
      expect.stringMatching(/^ {2}1 {2}OrderPlaced {2}order-0@1/),
      '    command',
      expect.stringMatching(/^ {6}\d+ {2}OrderConfirmed {2}order-0@2/),
      '',
    ])
    const trees = (await edict(['events', '--correlation', correlationId, '--tree', '--json'])).json()
    const confirmation = { events: [{ event: { type: 'OrderConfirmed' } }] }
    expect(trees).toMatchObject([{ commandId, events: [{ commands: [confirmation] }] }])
  })

  it('refuses options that do not go together', async () => {
    expect((await edict(['events', '--tree'])).exitCode).toBe(2)
    expect((await edict(['events', '--stream', 'x', '--category', 'Order'])).exitCode).toBe(2)
    expect((await edict(['events', '--from', '0'])).exitCode).toBe(2)
  })
})

describe.each(shopStores)('edict handlers, parked and projections on $kind', ({ share }) => {
  share()

  it('tell how handlers do, of whom nobody runs any here', async () => {
    await ordersPlaced([1, 13])
    const listed = (await edict(['handlers', 'list', '--json'])).json()
    expect(listed).toEqual([
      expect.objectContaining({ name: 'confirmer', kind: 'event handler', state: 'free', lagEvents: 0, parked: 1 }),
      expect.objectContaining({ name: 'amounts', kind: 'projection', state: 'free', lagEvents: 0, parked: 0 }),
    ])
    expect((await edict(['handlers', 'list'])).stdout).toMatch(/^confirmer +event handler +free +\d+ +0 +- +1$/m)
    expect((await edict(['handlers', 'show', 'nobody'])).exitCode).toBe(3)
  })

  it('list, show and discard what is parked, and ask for a replay that waits for a server', async () => {
    await ordersPlaced([13, 1, 13])
    const listed = (await edict(['parked', 'list', '--json'])).json<readonly Parked[]>()
    expect(listed.map(({ handler, streamId, attempts }) => [handler, streamId, attempts])).toEqual([
      ['confirmer', 'order-0', 1],
      ['confirmer', 'order-2', 1],
    ])
    const position = `${listed[0]?.position}`
    const shown = await edict(['parked', 'show', 'confirmer', position])
    expect(shown.stdout).toContain('thirteen is too much for me')
    expect((await edict(['parked', 'show', 'confirmer', '999'])).exitCode).toBe(3)

    const asked = await edict(['handlers', 'replay', 'confirmer', '--timeout', '0.05', '--json'])
    expect(asked.json()).toEqual({ replayed: 0, failed: 0, waiting: 2 })

    expect((await edict(['parked', 'discard', 'confirmer', '--position', position])).exitCode).toBe(4)
    expect((await edict(['parked', 'discard', 'confirmer'])).exitCode).toBe(2)
    const discarded = await edict(['parked', 'discard', 'confirmer', '--position', position, '--yes'])
    expect(discarded.stdout).toBe('1 discarded\n')
    expect((await edict(['parked', 'discard', 'confirmer', '--position', position, '--yes'])).exitCode).toBe(3)
    expect((await edict(['parked', 'list', 'confirmer', '--json'])).json()).toHaveLength(1)
  })

  it('reset an event handler, which asks, and no process manager or projection', async () => {
    await ordersPlaced([1, 2])
    expect((await edict(['handlers', 'reset', 'confirmer'])).exitCode).toBe(4)
    expect((await edict(['handlers', 'reset', 'confirmer', '--yes', '--from', 'origin'])).exitCode).toBe(0)
    const place = (await edict(['handlers', 'show', 'confirmer', '--json'])).json()
    expect(place).toMatchObject({ name: 'confirmer', state: 'free', position: 0, lagEvents: 4 })
    expect((await edict(['handlers', 'reset', 'amounts', '--yes'])).stderr).toContain('edict projections rebuild')
  })

  it('build a projection anew', async () => {
    await ordersPlaced([1, 2])
    const rebuilt = await edict(['projections', 'rebuild', 'amounts', '--json'])
    expect(rebuilt).toMatchObject({ exitCode: 0, stderr: '' })
    expect(rebuilt.json()).toMatchObject({ projection: 'amounts', rebuilt: true })
    expect((await edict(['projections', 'list', '--json'])).json()).toMatchObject([{ name: 'amounts', lagEvents: 0 }])
    expect((await edict(['projections', 'rebuild', 'confirmer'])).exitCode).toBe(3)
  })

  it('are looked over by the doctor, who ends with 1 where something is wrong', async () => {
    await ordersPlaced([1])
    const well = await edict(['doctor', '--json'])
    expect(well).toMatchObject({ exitCode: 0, stderr: '' })
    expect(well.json<{ findings: { check: string }[] }>().findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        'node',
        'store',
        'driver',
        'database',
        'schema',
        'durability',
        'clock',
        'leases',
        'handler',
      ]),
    )
    await edict(['handlers', 'reset', 'confirmer', '--yes'])
    const ill = await edict(['doctor'])
    expect(ill.exitCode).toBe(1)
    expect(ill.stdout).toMatch(/^FAILED +handler: confirmer is 2 event\(s\), .* behind, and no process runs it$/m)
  })

  it('bring the tables up to date', async () => {
    expect((await edict(['migrate'])).stdout).toMatch(/is up to date\n$/)
    expect((await edict(['migrate', '--json'])).json()).toMatchObject({ migrated: true })
  })
})

describe('edict', () => {
  sqliteShop()

  it('shows the routes as text, as JSON and as a flowchart', async () => {
    expect((await edict(['routes'])).stdout).toMatch(/^PlaceOrder +Order +orders +aggregate +orderId +order- +0$/m)
    expect((await edict(['routes', '--json'])).json()).toContainEqual({
      ...{ command: 'PlaceOrder', aggregate: 'Order', router: 'orders', handledBy: 'aggregate', identity: 'orderId' },
      ...{ prefix: 'order-', middleware: 0, options: {} },
    })
    expect((await edict(['routes', '--mermaid'])).stdout).toMatch(/^flowchart LR\n {2}subgraph r1\["orders"\]\n/)
  })

  it('says of a route whether a command handler decides, one that loads and persists too', async () => {
    const app = fileURLToPath(new URL('../../examples/publishing/app.ts', import.meta.url))
    const rows = (await edict(['routes', '--json', '--app', app])).json<readonly object[]>()
    expect(rows).toContainEqual(expect.objectContaining({ command: 'PublishArticle', handledBy: 'command handler' }))
    expect(rows).toContainEqual(expect.objectContaining({ command: 'WriteArticle', handledBy: 'aggregate' }))
  })

  it('ends with 2 where the command line makes no sense, and says what would', async () => {
    expect(await edict(['strems'])).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('streams'),
    })
    expect(await edict(['routes', '--loud'])).toMatchObject({ exitCode: 2 })
    expect(await edict(['routes'], { env: {} })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--app'),
    })
    expect(await edict(['--help'])).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringContaining('doctor'),
    })
    expect((await edict(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('says of a module what is wrong with it', async () => {
    expect(await edict(['routes', '--app', 'not-there.ts'])).toMatchObject({ exitCode: 3 })
    const router = await edict(['routes', '--app', shopFile.replace('shop-app', 'cli-harness')])
    expect(router).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is no application') })
  })
})
