import { afterEach, describe, expect, it } from '@jest/globals'
import {
  application,
  asynchronously,
  commandHandler,
  eventHandler,
  inMemoryEventStore,
  router,
  synchronously,
  unitOfWork,
  UnitOfWork,
} from 'edict'
import { Add, Added, Counter, deferred } from '../support/counter.ts'

const marked = { sync: synchronously, async: asynchronously }

/** A counter that is added to in a unit, with an eventual handler that ends nothing until it is let go. */
async function counting(as: keyof typeof marked, eventProcessing: 'sync' | 'async' = 'async') {
  const gate = deferred()
  const slow = eventHandler('slow', { events: [Added], handle: () => gate.promise })
  const adding = commandHandler(Counter, {
    commands: [Add],
    handle: {
      Add: async ({ id, by }, { repository }) => {
        const counter = (await repository.find(Counter, id)) ?? (await repository.create(Counter, id))
        counter.raise(marked[as](Added({ by })))
        repository.add(counter)
      },
    },
  })
  const counters = router('counters', (to) =>
    to.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, { to: adding }),
  )
  const app = application({
    name: 'counters',
    router: counters,
    eventStore: inMemoryEventStore(),
    handlers: [slow],
    eventProcessing,
    defaults: { consistencyTimeout: 20 },
  })
  open.push({ stop: () => (gate.resolve(), app.stop()) })
  return app.start()
}

const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop()
})

const late = { code: 'consistency_timeout', outcome: 'executed', laggards: ['slow'] }

describe('an event that a root raises', () => {
  it('is waited for where it is synchronous, in a command handler', async () => {
    const app = await counting('sync')
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).rejects.toMatchObject(late)
  })

  it('is not waited for where it is asynchronous, though the application says otherwise', async () => {
    const app = await counting('async', 'sync')
    expect((await app.dispatch(Add({ id: 'a', by: 1 }))).aggregateVersion).toBe(1)
  })

  it('is waited for after a unit that was begun by a call, or by hand', async () => {
    const app = await counting('sync')
    const called = unitOfWork(
      app,
      async ({ repository }) => {
        const counter = await repository.create(Counter, 'a')
        counter.raise(synchronously(Added({ by: 1 })))
        repository.add(counter)
      },
      { consistencyTimeout: 20 },
    )
    await expect(called).rejects.toMatchObject(late)
    const unit = new UnitOfWork(app, { consistencyTimeout: 20 }).start()
    const counter = await unit.repository.create(Counter, 'b')
    counter.raise(synchronously(Added({ by: 1 })))
    unit.repository.add(counter)
    await expect(unit.commit()).rejects.toMatchObject(late)
  })

  it('of a repeated command is waited for as the application says', async () => {
    const app = await counting('async', 'sync')
    const once = { commandId: 'once' }
    await app.dispatch(Add({ id: 'a', by: 1 }), once)
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), once)).rejects.toMatchObject(late)
  })
})
