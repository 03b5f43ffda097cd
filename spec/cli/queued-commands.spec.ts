import { describe, expect, it } from '@jest/globals'
import { edict } from './cli-harness.ts'
import { PlaceOrder } from './shop-app.ts'
import { memoryShop, withShop } from './shop-stores.ts'

interface Listed {
  readonly commandId: string
}

/** Lets the shop take orders of these amounts, each named by itself, and run them, where it has workers. */
async function enqueued(orders: Readonly<Record<string, number>>, workers: number): Promise<void> {
  await withShop(async (app) => {
    const receipts = Object.entries(orders).map(([orderId, amount]) =>
      app.enqueue(PlaceOrder({ orderId, amount }), { commandId: orderId }),
    )
    for (const receipt of await Promise.all(receipts)) {
      if (workers > 0) await receipt.completed().catch(() => undefined)
    }
  }, workers)
}

describe('edict commands', () => {
  memoryShop()

  it('lists what is queued, shows one, says how many wait, and takes one back', async () => {
    await enqueued({ 'c-1': 5, 'c-2': 6 }, 0)
    const listed = await edict(['commands', 'list', '--state', 'queued,running', '--stream', 'order-c-1', '--json'])
    expect(listed.json()).toEqual([
      expect.objectContaining({
        commandId: 'c-1',
        type: 'PlaceOrder',
        state: 'queued',
        data: { orderId: 'c-1', amount: 5 },
      }),
    ])
    expect((await edict(['commands', 'list'])).stdout).toMatch(/c-2 +PlaceOrder +order-c-2 +queued +normal +0/)
    expect((await edict(['commands', 'list', '--state', 'lost'])).exitCode).toBe(2)
    expect((await edict(['commands', 'status', 'c-1'])).stdout).toMatch(/^state +queued$/m)
    expect((await edict(['commands', 'status', 'c-9'])).exitCode).toBe(3)
    expect((await edict(['commands', 'depth', '--json'])).json()).toMatchObject({ states: { queued: 2, dead: 0 } })

    expect((await edict(['commands', 'cancel', 'c-1'])).exitCode).toBe(4)
    expect(await edict(['commands', 'cancel', 'c-1', '--yes'])).toMatchObject({
      exitCode: 0,
      stdout: 'c-1 is cancelled\n',
    })
    const again = await edict(['commands', 'cancel', 'c-1', '--yes'])
    expect(again).toMatchObject({ exitCode: 1, stderr: 'edict: c-1 cannot be cancelled: it is cancelled\n' })
    await edict(['commands', 'cancel', 'c-2', '--yes'])
  })
})

describe('edict dead-letters', () => {
  memoryShop()

  it('lists and shows what has failed for good, queues it anew, and gives it up for who has confirmed it', async () => {
    await enqueued({ 'd-1': 666, 'd-2': 7, 'd-3': 666 }, 2)
    const listed = await edict(['dead-letters', 'list', '--json'])
    expect(listed.json<readonly Listed[]>().map(({ commandId }) => commandId)).toEqual(['d-1', 'd-3'])
    expect(listed.json()).toMatchObject([{ attempts: 2, failure: { code: 'command_failed' } }, {}])
    expect((await edict(['dead-letters', 'show', 'd-1'])).stdout).toContain('666 is more than I can bear')
    expect((await edict(['dead-letters', 'show', 'd-2'])).exitCode).toBe(3)
    expect((await edict(['doctor'])).stdout).toMatch(/^WARNING +dead-letters: 2 /m)

    expect((await edict(['dead-letters', 'replay'])).exitCode).toBe(2)
    expect((await edict(['dead-letters', 'replay', 'd-1', '--json'])).json()).toEqual({ replayed: 1 })
    expect((await edict(['commands', 'status', 'd-1', '--json'])).json()).toMatchObject({
      state: 'queued',
      attempts: 0,
    })
    await edict(['commands', 'cancel', 'd-1', '--yes'])

    expect((await edict(['dead-letters', 'discard', '--all'])).exitCode).toBe(4)
    expect((await edict(['dead-letters', 'discard', '--all'], { answer: 'y' })).stdout).toBe('1 discarded\n')
    expect((await edict(['dead-letters', 'list', '--json'])).json()).toEqual([])
  })
})
