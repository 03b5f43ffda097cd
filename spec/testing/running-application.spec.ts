import { afterEach, describe, expect, it } from '@jest/globals'
import { application, eventHandler, inMemoryEventStore, stop, upcaster, event, shape } from 'edict'
import {
  assertCorrelated,
  assertReceiveEvent,
  refuteReceiveEvent,
  settled,
  testClock,
  waitForEvent,
} from 'edict/testing'
import { Add, Added, Counter, counterRouter, deferred, started, stopAll } from '../support/counter.ts'
import { thrownBy } from './thrown-by.ts'

afterEach(stopAll)

const Never = event('Never', shape<object>())
/** For what is to come: a machine may stand still for longer than anybody waits by default. */
const patient = { timeout: 20_000 }

/** Answers each event of the stream a with a command to b, when it may. */
const answering = (gate: Promise<unknown> = Promise.resolve()) =>
  eventHandler('answering', {
    events: [Added],
    handle: async ({ by }, { streamId }, { dispatch }) => {
      if (streamId !== 'counter-a') return
      await gate
      await dispatch(Add({ id: 'b', by: by * 10 }))
    },
  })

describe('assertReceiveEvent', () => {
  it('finds an event that is stored already, and one to come', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(await assertReceiveEvent(app, Added)).toMatchObject({ data: { by: 1 }, streamId: 'counter-a', position: 1 })
    const isMeant = ({ by }: { readonly by: number }, { streamId }: { readonly streamId: string }) =>
      by === 3 && streamId === 'counter-b'
    const coming = waitForEvent(app, Added, isMeant, patient)
    await app.dispatch(Add({ id: 'a', by: 3 }))
    await app.dispatch(Add({ id: 'b', by: 3 }))
    expect(await coming).toMatchObject({ position: 3 })
  })

  it('looks only at what comes after a position, where it is told to', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    const coming = assertReceiveEvent(app, Added, undefined, { after: 1, ...patient })
    await app.dispatch(Add({ id: 'a', by: 2 }))
    expect((await coming).data).toEqual({ by: 2 })
  })

  it('fails in time, and shows what there was instead', async () => {
    const app = await started({ router: counterRouter, clock: testClock() })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    const where = ({ by }: { readonly by: number }) => by === 2
    const error = await thrownBy(() => assertReceiveEvent(app, Added, where, { timeout: 20 }))
    expect(error).toMatchObject({ name: 'AssertionError', actual: { 'other Added': [{ by: 1 }] } })
    expect(error?.message).toMatch(/^no Added that was meant was stored within 20 ms/)
    const unnamed = await thrownBy(() => assertReceiveEvent(app, Added, ({ by }) => by === 2, { timeout: 1 }))
    expect(unnamed?.message).toContain('where: a function without a name,')
    expect((await thrownBy(() => waitForEvent(app, Never, undefined, { timeout: 1 })))?.message).toMatch(
      /^no Never was/,
    )
  })

  it('reads as the application does, through its upcasters', async () => {
    const upcasters = [
      upcaster('Added', {
        schemaVersion: 1,
        into: ['Never'],
        upcast: ({ data }) => ({ type: 'Never', schemaVersion: 2, data }),
      }),
    ]
    const app = await started({ router: counterRouter, upcasters })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(await assertReceiveEvent(app, Never)).toMatchObject({ data: { by: 1 } })
  })

  it('takes no promise for a yes, and no option that nobody reads', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    const never = (() => Promise.resolve(false)) as never
    await expect(assertReceiveEvent(app, Added, never)).rejects.toMatchObject({ code: 'invalid_outcome' })
    await expect(assertCorrelated(app, [Added, never], [Added])).rejects.toMatchObject({ code: 'invalid_outcome' })
    const slip = { tiemout: 5 } as never
    for (const asked of [
      assertReceiveEvent(app, Never, undefined, slip),
      refuteReceiveEvent(app, Never, undefined, slip),
      assertCorrelated(app, [Added], [Never], slip),
      settled(app, slip),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'invalid_option' })
    }
  })

  it('needs an application that runs', async () => {
    const app = application({ name: 'not-started', router: counterRouter, eventStore: inMemoryEventStore() })
    expect(await thrownBy(() => assertReceiveEvent(app, Added))).toMatchObject({ code: 'not_running' })
    expect(await thrownBy(() => assertReceiveEvent({ name: 'x' }, Added))).toMatchObject({ code: 'invalid_option' })
  })
})

describe('settled', () => {
  it('waits for the commands under way, for the handlers, and for what these dispatch', async () => {
    const gate = deferred()
    const app = await started({ router: counterRouter, handlers: [answering(gate.promise)] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    let isSettled = false
    const settling = settled(app, patient).then((position) => {
      isSettled = true
      return position
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isSettled).toBe(false)
    gate.resolve()
    expect(await settling).toBe(2)
    expect(await app.aggregateState(Counter, 'b')).toEqual({ total: 10 })
  })

  it('does not wait for a handler that has stopped, nor for events that interest nobody', async () => {
    const stopping = eventHandler('stopping', {
      events: [Added],
      handle: () => {
        throw new Error('poison')
      },
      onError: () => stop(),
    })
    const idle = eventHandler('idle', { events: [Never], handle: () => undefined })
    const app = await started({ router: counterRouter, handlers: [stopping, idle] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(await settled(app, patient)).toBe(1)
  })

  it('fails in time, and says who is at work', async () => {
    const gate = deferred()
    const app = await started({ router: counterRouter, handlers: [answering(gate.promise)] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    const error = await thrownBy(() => settled(app, { timeout: 20 }))
    expect(error).toMatchObject({ name: 'AssertionError', actual: { atWork: ['answering'] } })
    gate.resolve()
  })
})

describe('refuteReceiveEvent', () => {
  it('waits until the application has come to rest, and finds no such event', async () => {
    const app = await started({ router: counterRouter, handlers: [answering()] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await refuteReceiveEvent(app, Never, undefined, patient)
    await refuteReceiveEvent(app, Added, ({ by }) => by > 10, patient)
  })

  it('fails where there is one, though a handler leads to it later', async () => {
    const gate = deferred()
    const app = await started({ router: counterRouter, handlers: [answering(gate.promise)] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    setTimeout(() => gate.resolve(), 10)
    const error = await thrownBy(() => refuteReceiveEvent(app, Added, ({ by }) => by === 10, patient))
    expect(error).toMatchObject({ actual: { type: 'Added', data: { by: 10 }, streamId: 'counter-b', position: 2 } })
    expect(error?.message).toMatch(/^Added was stored, and ought not to be/)
  })

  it('looks only at what some work has led to, where it is told to', async () => {
    const app = await started({ router: counterRouter, handlers: [answering()] })
    await app.dispatch(Add({ id: 'b', by: 1 }))
    const other = () => app.dispatch(Add({ id: 'b', by: 2 }))
    await refuteReceiveEvent(app, Added, ({ by }) => by === 1, { during: other, ...patient })
    const during = () => app.dispatch(Add({ id: 'a', by: 2 }))
    expect(
      await thrownBy(() => refuteReceiveEvent(app, Added, ({ by }) => by === 20, { during, ...patient })),
    ).toMatchObject({
      actual: { position: 4 },
    })
    expect(await thrownBy(() => refuteReceiveEvent(app, Added, undefined, { during: 5 as never }))).toMatchObject({
      code: 'invalid_option',
    })
  })
})

describe('assertCorrelated', () => {
  it('finds two events that one command has led to, whatever lies between', async () => {
    const app = await started({ router: counterRouter, handlers: [answering()] })
    await app.dispatch(Add({ id: 'c', by: 1 }))
    await app.dispatch(Add({ id: 'a', by: 1 }))
    const [first, second] = await assertCorrelated(
      app,
      [Added, ({ by }) => by === 1],
      [Added, (_data, { streamId }) => streamId === 'counter-b'],
      patient,
    )
    expect([first.streamId, second.data]).toEqual(['counter-a', { by: 10 }])
    expect(second.causationId).toBe(first.eventId)
  })

  it('fails where both are there, but of two correlations', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 1 }), { correlationId: 'one' })
    await app.dispatch(Add({ id: 'b', by: 2 }), { correlationId: 'two' })
    const error = await thrownBy(() =>
      assertCorrelated(app, [Added, ({ by }) => by === 1], [Added, ({ by }) => by === 2], { timeout: 20 }),
    )
    expect(error?.message).toMatch(/^no Added and Added of one correlation were stored within 20 ms/)
    expect(error?.message).toMatch(/correlationId: "two"/)
  })
})
