import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { application, eventHandler, inMemoryEventStore, type EventStore } from 'edict'
import { sqliteEventStore } from 'edict/sqlite'
import { resetApplication, settled } from 'edict/testing'
import { Add, Added, Counter, counterRouter, deferred, started, stopAll, until } from '../support/counter.ts'
import { thrownBy } from './thrown-by.ts'

afterEach(stopAll)

/** A handler that keeps what it has handled since it last started. */
function follower() {
  const positions: number[] = []
  const handler = eventHandler('follower', {
    events: [Added],
    consistency: 'strong',
    beforeReset: () => void positions.splice(0),
    handle: (_data, { position }) => void positions.push(position),
  })
  return { positions, handler }
}

describe('an application that is reset', () => {
  it('goes on as if it were new: its store is empty, aggregates and handlers begin anew', async () => {
    const { positions, handler } = follower()
    const app = await started({ router: counterRouter, handlers: [handler], snapshots: { Counter: { every: 1 } } })
    for (let round = 1; round <= 3; round++) {
      await app.dispatch(Add({ id: 'a', by: round }), { consistency: 'strong', commandId: 'same' })
      expect(await app.aggregateState(Counter, 'a')).toEqual({ total: round })
      expect(positions).toEqual([1])
      await resetApplication(app)
      expect([await app.aggregateVersion(Counter, 'a'), await settled(app, { timeout: 20_000 }), positions]).toEqual([
        0,
        0,
        [],
      ])
    }
  })

  it('keeps its name and its routers', async () => {
    const app = await started({ router: counterRouter, name: 'kept' })
    const resetting = resetApplication(app)
    const other = application({ name: 'kept', router: counterRouter, eventStore: inMemoryEventStore() })
    expect(await thrownBy(() => other.start())).toMatchObject({ code: 'invalid_definition' })
    await resetting
    await expect(counterRouter.dispatch(Add({ id: 'a', by: 1 }))).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('lets what is under way end first, and refuses commands meanwhile', async () => {
    const gate = deferred()
    let begun = false
    const slow = eventHandler('slow', {
      events: [Added],
      handle: () => {
        begun = true
        return gate.promise
      },
    })
    const app = await started({ router: counterRouter, handlers: [slow] })
    const dispatched = app.dispatch(Add({ id: 'a', by: 1 }))
    await until(() => begun)
    const resetting = resetApplication(app)
    await new Promise(setImmediate)
    expect(await thrownBy(() => app.dispatch(Add({ id: 'a', by: 1 })))).toMatchObject({
      code: 'not_running',
      message: expect.stringMatching(/is being reset/),
    })
    gate.resolve()
    await resetting
    await expect(dispatched).resolves.toMatchObject({ aggregateVersion: 1 })
    expect(await app.aggregateVersion(Counter, 'a')).toBe(0)
  })

  it('may be reset twice at once, and be stopped while it is', async () => {
    const app = await started({ router: counterRouter })
    await Promise.all(
      [resetApplication(app), resetApplication(app), app.stop()].map((one) => one.catch(() => undefined)),
    )
    expect(await thrownBy(() => resetApplication(app))).toMatchObject({ code: 'not_running' })
  })

  it('goes on where a handler cannot begin anew, which is stopped then, as at every start', async () => {
    let starts = 0
    const once = eventHandler('once', {
      events: [Added],
      handle: () => undefined,
      afterStart: () => {
        if (++starts > 1) throw new Error('only once')
      },
    })
    const app = await started({ router: counterRouter, handlers: [once] })
    await resetApplication(app)
    expect(starts).toBe(2)
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('must run on a store in memory, which no other running application has', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'edict-reset-'))
    const onDisk = await started({ router: counterRouter, eventStore: sqliteEventStore(join(directory, 'events.db')) })
    expect(await thrownBy(() => resetApplication(onDisk))).toMatchObject({ code: 'unsupported_capability' })
    await onDisk.stop()
    await rm(directory, { recursive: true })
    const eventStore: EventStore = inMemoryEventStore()
    const one = await started({ name: 'one', router: counterRouter, eventStore })
    const two = await started({ name: 'two', router: counterRouter, eventStore })
    expect(await thrownBy(() => resetApplication(one))).toMatchObject({
      code: 'invalid_option',
      message: expect.stringMatching(/two runs on the store of one/),
    })
    await two.stop()
    await resetApplication(one)
  })
})
