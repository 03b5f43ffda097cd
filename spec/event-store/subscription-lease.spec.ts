import { describe, expect, it } from '@jest/globals'
import { inMemoryEventStore } from '../../lib/adapters/in-memory/in-memory-event-store.ts'
import { StoreError } from '../../lib/errors.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import { PersistentSubscription } from '../../lib/event-store/persistent-subscription.ts'
import { ManualClock, append, keepingLogger, makeHub, turn, until } from './subscription-harness.ts'

/** A store whose leases go by the clock of the spec, and nodes that follow it. */
async function nodes() {
  const clock = new ManualClock()
  const store = inMemoryEventStore({ clock })
  await store.open()
  const handled: string[] = []
  const logger = keepingLogger()
  const node = (
    owner: string,
    over: Partial<EventStore> = {},
    handle: () => boolean | Promise<boolean> = () => true,
  ) => {
    const seenStore = Object.assign(Object.create(store) as EventStore, bound(store), over)
    const states: string[] = []
    const subscription = new PersistentSubscription({
      name: 'balances',
      owner,
      startFrom: 'origin',
      filter: {},
      hub: makeHub(store, { clock }),
      store: seenStore,
      clock,
      logger,
      lease: 5_000,
      claimInterval: 1_000,
      listener: {
        deliver: (event) => {
          handled.push(`${owner}: ${event.position}`)
          return handle()
        },
        progressed: () => undefined,
        changed: (state) => void states.push(state),
      },
    })
    return { subscription, states }
  }
  return { clock, store, handled, logger, node }
}

function bound(store: EventStore): Partial<EventStore> {
  const { claimCheckpoint, renewCheckpoints, saveCheckpoint, releaseCheckpoint, readCheckpoint, listCheckpoints } =
    store
  const methods = {
    claimCheckpoint,
    renewCheckpoints,
    saveCheckpoint,
    releaseCheckpoint,
    readCheckpoint,
    listCheckpoints,
  }
  const own = Object.entries({ ...methods, headPosition: store.headPosition })
  return Object.fromEntries(own.map(([key, method]) => [key, (method as () => unknown).bind(store)]))
}

/** Never reaches the store again, as a process that was stopped in its tracks. */
const unreachable = () => Promise.reject(new StoreError('no connection'))

/**
 * Two owners fought over: one is cut off from the store, another takes its place, and the first is connected again. Gives what
 * each handled, and where the checkpoint was in the end.
 */
async function foughtOver(spoiled: (store: EventStore) => Partial<EventStore>): Promise<unknown> {
  const { clock, store, handled, node } = await nodes()
  const link = { cut: false }
  const own = { ...bound(store), ...spoiled(store) }
  const cuttable = Object.fromEntries(
    (['renewCheckpoints', 'saveCheckpoint', 'claimCheckpoint'] as const).map((key) => [
      key,
      (...given: unknown[]) => (link.cut ? unreachable() : (own[key] as (...all: unknown[]) => unknown)(...given)),
    ]),
  )
  const first = node('one', cuttable)
  await first.subscription.start()
  append(store)
  await clock.advance(100)
  link.cut = true
  const second = node('two')
  await second.subscription.start()
  await clock.advance(6_000)
  link.cut = false
  await clock.advance(2_000)
  append(store)
  await clock.advance(2_000)
  const position = (await store.readCheckpoint('balances'))?.position
  await first.subscription.stop()
  await second.subscription.stop()
  return { handled, position }
}

describe('the lease of a persistent subscription', () => {
  it('is kept by an owner that has nothing to do, so that nobody takes its place', async () => {
    const { clock, store, handled, node } = await nodes()
    const first = node('one')
    const second = node('two')
    await first.subscription.start()
    await second.subscription.start()
    await clock.advance(60_000)
    append(store)
    await clock.advance(10)
    expect([handled, second.states.at(-1)]).toEqual([['one: 1'], 'claiming'])
    await second.subscription.stop()
    await first.subscription.stop()
    expect(clock.timers).toBe(0)
  })

  it('lets another owner take over when it ran out, and no sooner', async () => {
    const { clock, store, handled, node } = await nodes()
    // Nobody renews this one: its process was killed.
    await store.claimCheckpoint('balances', { owner: 'killed', startAfter: 0, lease: 5_000 })
    append(store)
    const second = node('two')
    await second.subscription.start()
    await clock.advance(4_900)
    expect(handled).toEqual([])
    await clock.advance(1_100)
    expect(handled).toEqual(['two: 1'])
    await second.subscription.stop()
  })

  it('is given up by a graceful stop, so that another owner takes over at its next look', async () => {
    const { clock, store, handled, node } = await nodes()
    const first = node('one')
    const second = node('two')
    await first.subscription.start()
    await second.subscription.start()
    await first.subscription.stop()
    append(store)
    await clock.advance(1_000)
    expect(handled).toEqual(['two: 1'])
    await second.subscription.stop()
  })

  it('fences an idle owner when its renewal says that another one has taken over', async () => {
    const { clock, store, handled, logger, node } = await nodes()
    const first = node('one')
    await first.subscription.start()
    await store.deleteCheckpoint('balances')
    await store.claimCheckpoint('balances', { owner: 'two', startAfter: 0, lease: 60_000 })
    await clock.advance(1_250)
    append(store)
    await turn()
    expect([handled, first.states.at(-1)]).toEqual([[], 'claiming'])
    expect(logger.lines.map(({ fields }) => (fields['error'] as { code: string }).code)).toEqual(['subscription_owned'])
    await first.subscription.stop()
  })

  it('in doubt, lets the event in hand end and begins no other one, until the store is reached again', async () => {
    const { clock, store, handled, node } = await nodes()
    const link = { cut: false }
    let end: (() => void) | undefined
    const first = node(
      'one',
      { renewCheckpoints: (holds) => (link.cut ? unreachable() : store.renewCheckpoints(holds)) },
      () => new Promise((resolve) => (end = () => resolve(true))),
    )
    await first.subscription.start()
    append(store)
    append(store)
    await turn()
    link.cut = true
    await clock.advance(5_000)
    end?.()
    await clock.advance(3_000)
    expect(handled).toEqual(['one: 1'])
    link.cut = false
    await clock.advance(1_250)
    expect(handled).toEqual(['one: 1', 'one: 2'])
    end?.()
    await first.subscription.stop()
  })

  it('in doubt, does not keep a stop waiting', async () => {
    const { clock, store, handled, node } = await nodes()
    const first = node('one', { renewCheckpoints: unreachable })
    await first.subscription.start()
    await clock.advance(5_000)
    append(store)
    await turn()
    await first.subscription.stop()
    expect([handled, first.states.at(-1)]).toEqual([[], 'ended'])
  })

  const kept = { handled: ['one: 1', 'two: 2'], position: 2 }

  it('makes one of two who fight over it give way', async () => {
    expect(await foughtOver(() => ({}))).toEqual(kept)
  })

  it('is shown to matter: with a store that does not look at the epoch, both go on', async () => {
    const careless = (store: EventStore) => ({
      renewCheckpoints: (holds: readonly unknown[]) => holds.map(() => true),
      saveCheckpoint: ({ name, position, index }: { name: string; position: number; index: number }) => {
        const { epoch } = store.readCheckpoint(name) as { epoch: number }
        return store.saveCheckpoint({ name, position, index, epoch })
      },
    })
    expect(await foughtOver(careless)).not.toEqual(kept)
  })

  it('warns once where the checkpoint is beyond the last event, as after a restore from a backup', async () => {
    const { clock, store, logger, node } = await nodes()
    append(store)
    const claim = await store.claimCheckpoint('balances', { owner: 'before', startAfter: 0 })
    await store.saveCheckpoint({ name: 'balances', position: 40, index: 0, epoch: claim?.epoch ?? 0 })
    await store.releaseCheckpoint('balances', claim?.epoch ?? 0)
    const first = node('one')
    await first.subscription.start()
    await until(() => logger.lines.length === 1)
    expect(logger.lines[0]).toMatchObject({
      level: 'warn',
      fields: { subscription: 'balances', position: 40, headPosition: 1 },
    })
    await clock.advance(10_000)
    expect(logger.lines).toHaveLength(1)
    await first.subscription.stop()
  })
})
