import { describe, expect, it } from '@jest/globals'
import { eventHandler, type BatchHandlerDefinition } from '../../lib/subscribers/event-handler.ts'
import { park, retry, skip, stop } from '../../lib/subscribers/error-action.ts'
import { parkedFact, parkedStreamId } from '../../lib/subscribers/parked-facts.ts'
import type { CheckpointState } from '../../lib/event-store/checkpoint.ts'
import type { StreamSlice } from '../../lib/event-store/event-store.ts'
import { ParkedStream } from '../../lib/subscribers/parked-stream.ts'
import { append, until } from '../event-store/subscription-harness.ts'
import { MoneyDeposited, surroundings, type Running } from './runner-harness.ts'

type Definition = Partial<BatchHandlerDefinition<readonly [typeof MoneyDeposited]>>

function deposit({ store }: Running, ...amounts: readonly number[]): void {
  for (const amount of amounts) {
    append(store, 'MoneyDeposited', `account-${amount % 2}`, 'BankAccount', { accountNumber: '1', amount })
  }
}

/** Keeps the batches that it handled, and fails at those with poison in them. */
function batches(poison: Set<number>, definition: Definition = {}) {
  const handled: number[][] = []
  const handler = eventHandler('batches', {
    events: [MoneyDeposited],
    batchSize: 3,
    handleBatch: async (events) => {
      await Promise.resolve()
      const amounts = events.map(({ data }) => data.amount)
      if (amounts.some((amount) => poison.has(amount))) throw new Error(`cannot bear ${amounts.join()}`)
      handled.push(amounts)
    },
    ...definition,
  })
  return { handled, handler }
}

function parkedPositions({ store }: Running): unknown[] {
  // The store in memory answers at once.
  const { events } = store.readStream(parkedStreamId('batches')) as StreamSlice
  return events.map((stored) => (parkedFact(stored) as { position: number }).position)
}

function ownerless({ store }: Running): boolean {
  // The store in memory answers at once.
  const states = store.listCheckpoints('batches') as readonly CheckpointState[]
  return states.every(({ owner }) => owner === undefined)
}

describe('a handler of batches', () => {
  it('gets them full while it catches up, and what is left after the batch timeout', async () => {
    const running = await surroundings()
    const { handled, handler } = batches(new Set())
    deposit(running, 1, 2, 3, 4, 5, 6, 7, 8)
    const runner = running.runner(handler)
    await runner.start()
    await until(() => handled.length === 2 && runner.state === 'live')
    expect(handled).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect(runner.position).toBe(6)
    await running.clock.advance(99)
    expect(handled).toHaveLength(2)
    await running.clock.advance(1)
    await until(() => runner.position === 8)
    expect(handled[2]).toEqual([7, 8])
    await runner.stop()
  })

  it('counts none of a batch as handled before all of it is: what was collected comes again after a stop', async () => {
    const running = await surroundings()
    const first = batches(new Set())
    const runner = running.runner(first.handler)
    await runner.start()
    deposit(running, 1, 2, 3, 4)
    await until(() => first.handled.length === 1 && runner.position === 3)
    await runner.stop()
    expect(running.store.readCheckpoint('batches')).toMatchObject({ position: 3 })
    const second = batches(new Set(), { batchSize: 1 })
    const again = running.runner(second.handler, { owner: 'node-2' })
    await again.start()
    await until(() => second.handled.length === 1)
    expect(second.handled).toEqual([[4]])
    await again.stop()
  })

  it('gets the same batch again where it failed, and onError is told of its first event and of all', async () => {
    const running = await surroundings()
    const told: unknown[] = []
    const poison = new Set([2])
    const { handled, handler } = batches(poison, {
      onError: (error, recorded, { batch, failures }) => {
        told.push([(error as Error).message, recorded.position, batch?.length, failures])
        return retry({ after: 5 })
      },
    })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 1, 2, 3, 4)
    await until(() => runner.state === 'retrying')
    expect([runner.position, runner.failures]).toEqual([0, 1])
    poison.clear()
    await running.clock.advance(5)
    await until(() => handled.length === 1)
    expect([handled, told]).toEqual([[[1, 2, 3]], [['cannot bear 1,2,3', 1, 3, 1]]])
    await runner.stop()
  })

  it('skips a batch whole', async () => {
    const running = await surroundings()
    const { handled, handler } = batches(new Set([2]), { onError: () => skip() })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 1, 2, 3, 4, 5, 6)
    await until(() => runner.position === 6)
    expect(handled).toEqual([[4, 5, 6]])
    await runner.stop()
  })

  it.each([3, 2])('stops before a batch, with %d events in it', async (events) => {
    const running = await surroundings()
    const { handler } = batches(new Set([2]), { onError: () => stop() })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, ...[1, 2, 3].slice(0, events))
    await running.clock.advance(100)
    await until(() => runner.state === 'failed')
    await until(() => ownerless(running))
    expect(running.store.readCheckpoint('batches')).toMatchObject({ position: 0 })
    await runner.stop()
  })

  it('parks a batch, each event under its key, and has the events replayed one by one', async () => {
    const running = await surroundings()
    const poison = new Set([2])
    const { handled, handler } = batches(poison, { onError: () => park() })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 1, 2, 3, 4, 5)
    await until(() => parkedPositions(running).length === 5)
    expect(parkedPositions(running)).toEqual([1, 2, 3, 4, 5])
    expect(handled).toEqual([])
    poison.clear()
    const stream = new ParkedStream('batches', running.store, () => 0)
    await stream.catchUp()
    await stream.append(() => ({ facts: [{ fact: 'edict.ReplayRequested' }], about: undefined }))
    await until(() => handled.length === 5)
    expect(handled).toEqual([[1], [3], [5], [2], [4]])
    await runner.stop()
  })

  it('replays nothing that its selector does not want', async () => {
    const running = await surroundings()
    let fails = true
    const { handled, handler } = batches(new Set(), {
      selector: ({ data }) => {
        if (fails) throw new Error('not yet')
        return (data as { amount: number }).amount !== 1
      },
      onError: () => park(),
    })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 1, 2)
    await until(() => parkedPositions(running).length === 2)
    fails = false
    const stream = new ParkedStream('batches', running.store, () => 0)
    await stream.catchUp()
    await stream.append(() => ({ facts: [{ fact: 'edict.ReplayRequested' }], about: undefined }))
    await until(() => handled.length > 0)
    expect(handled).toEqual([[2]])
    await runner.stop()
  })

  it('does not hand over what was discarded when that comes again, since a batch that was not full has held the place back', async () => {
    const running = await surroundings()
    const poison = new Set([1])
    const { handled, handler } = batches(poison, { onError: () => park(), batchSize: 1 })
    const parking = batches(poison, { onError: () => park(), batchSize: 2 })
    const first = running.runner(handler)
    await first.start()
    deposit(running, 1)
    await until(() => parkedPositions(running).length === 1)
    await first.stop()
    const second = running.runner(parking.handler, { owner: 'node-2' })
    await second.start()
    // The one is collected, and the other parked behind the first.
    deposit(running, 2, 3)
    await until(() => parkedPositions(running).length === 2)
    const stream = new ParkedStream('batches', running.store, () => running.clock.now())
    await stream.catchUp()
    await stream.append(() => ({
      facts: parkedPositions(running).map((position) => {
        return { fact: 'edict.EventDiscarded', key: 'account-1', position: position as number, index: 0 }
      }),
      about: undefined,
    }))
    await second.stop()
    const third = running.runner(handler, { owner: 'node-3' })
    await third.start()
    deposit(running, 4)
    await until(() => handled.length === 2)
    expect(handled).toEqual([[2], [4]])
    await third.stop()
  })

  it('hands over what it has collected before it parks an event that its selector fails at, so that none is taken for handled', async () => {
    const running = await surroundings()
    const poison = new Set([1])
    const { handled, handler } = batches(poison, {
      selector: ({ data }) => {
        if (poison.has(1) && (data as { amount: number }).amount === 3) throw new Error('not yet')
        return true
      },
      onError: () => park(),
    })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 1, 3)
    await until(() => parkedPositions(running).length === 2)
    expect(parkedPositions(running)).toEqual([1, 2])
    poison.clear()
    const stream = new ParkedStream('batches', running.store, () => 0)
    await stream.catchUp()
    await stream.append(() => ({ facts: [{ fact: 'edict.ReplayRequested' }], about: undefined }))
    await until(() => handled.length === 2)
    expect(handled).toEqual([[1], [3]])
    await runner.stop()
  })

  it('is awaited by a strong dispatch no longer than the batch timeout', async () => {
    const running = await surroundings()
    const { handled, handler } = batches(new Set(), { consistency: 'strong', batchTimeout: 20 })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 1)
    const strong = running.board.resolve('strong')
    const waited = running.board.wait([{ type: 'MoneyDeposited', position: 1 }], strong, 1_000)
    await running.clock.advance(20)
    expect(await waited).toEqual([])
    expect(handled).toEqual([[1]])
    await runner.stop()
  })

  it('ends the batch in hand before it stops', async () => {
    const running = await surroundings()
    let finish: () => void = () => undefined
    const { handler } = batches(new Set(), { handleBatch: () => new Promise<void>((resolve) => (finish = resolve)) })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 1, 2)
    await running.clock.advance(100)
    const stopped = runner.stop()
    finish()
    await stopped
    expect(running.store.readCheckpoint('batches')).toMatchObject({ position: 2 })
  })

  it('passes over what its selector does not want', async () => {
    const running = await surroundings()
    const { handled, handler } = batches(new Set(), { selector: ({ data }) => data.amount % 2 === 1 })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 1, 2, 3, 4, 5, 6)
    await until(() => runner.position === 6)
    expect(handled).toEqual([[1, 3, 5]])
    await runner.stop()
  })

  it.each([
    ['no batchSize', { handleBatch: () => undefined }, 'batchSize'],
    ['a batchSize of 0', { handleBatch: () => undefined, batchSize: 0 }, 'batchSize'],
    ['a batchTimeout of nothing', { handleBatch: () => undefined, batchSize: 1, batchTimeout: 0 }, 'batchTimeout'],
    ['handle too', { handleBatch: () => undefined, batchSize: 1, handle: () => undefined }, 'exclude each other'],
    ['concurrency', { handleBatch: () => undefined, batchSize: 1, concurrency: 2 }, 'exclude each other'],
    ['batchSize alone', { handle: () => undefined, batchSize: 1 }, 'handleBatch'],
  ])('is refused with %s', (_, definition, message) => {
    expect(() => eventHandler('batches', { events: [MoneyDeposited], ...definition } as never)).toThrow(message)
  })
})
