import { describe, expect, it } from '@jest/globals'
import { application, inMemoryEventStore, type Application } from 'edict'
import { recurring } from 'edict/recurring'
import { testClock } from 'edict/testing'
import { Add, Counter, counterRouter, recordingLogger, started, until } from '../support/counter.ts'

const HOUR = 3_600_000
/** Every look at the store is a turn of the clock. */
const queue = { pollInterval: HOUR }

const hourly = (cron = '0 * * * *') =>
  recurring('hourly', { cron, timeZone: 'UTC', command: (at) => Add({ id: 'a', by: at.getUTCHours() }) })

/** Waits until the next occurrence is stored: on a busy machine that takes more turns of the event loop than a clock waits for. */
const next = ({ commands }: Pick<Application<unknown>, 'commands'>, at: string) =>
  until(
    async () =>
      (await commands.list({ states: ['delayed'] })).some(({ dueAt }) => dueAt.getTime() === new Date(at).getTime()),
    `the occurrence of ${at}`,
  )

describe('a recurring command', () => {
  it('is run once for each occurrence, however many nodes list it', async () => {
    const clock = testClock('2026-03-01T09:30:00Z')
    const eventStore = inMemoryEventStore({ clock })
    const nodes = []
    for (let node = 0; node < 2; node++) {
      nodes.push(await started({ router: counterRouter, eventStore, clock, workers: 1, queue, recurring: [hourly()] }))
    }
    const [one] = nodes
    await clock.advance(0)
    await next(one!, '2026-03-01T10:00:00Z')
    expect(await one!.commands.list()).toHaveLength(1)
    for (const hour of [11, 12, 13]) {
      await clock.advance(HOUR)
      await next(one!, `2026-03-01T${hour}:00:00Z`)
    }
    await until(async () => (await one!.commands.depth()).states.completed === 3, 'the third one')
    expect(await one!.aggregateState(Counter, 'a')).toEqual({ total: 10 + 11 + 12 })
    expect(await one!.aggregateVersion(Counter, 'a')).toBe(3)
    expect((await one!.commands.depth()).states).toMatchObject({ completed: 3, delayed: 1 })
    for (const node of nodes) await node.stop()
  })

  it('that was missed is run when a worker comes, once, and the schedule goes on from there', async () => {
    const clock = testClock('2026-03-01T09:30:00Z')
    const eventStore = inMemoryEventStore({ clock })
    const definition = { router: counterRouter, eventStore, clock, workers: 1, queue, recurring: [hourly()] }
    const first = await started(definition)
    await clock.advance(0)
    await next(first, '2026-03-01T10:00:00Z')
    await first.stop()
    await clock.advance(5 * HOUR)
    const second = await started(definition)
    await clock.advance(1_000)
    await next(second, '2026-03-01T15:00:00Z')
    await until(async () => (await second.commands.depth()).states.completed === 1, 'the one that was missed')
    expect(await second.aggregateState(Counter, 'a')).toEqual({ total: 10 })
    expect(await second.commands.list({ states: ['delayed'] })).toMatchObject([
      { dueAt: new Date('2026-03-01T15:00:00Z') },
    ])
    await second.stop()
  })

  it('whose next occurrence is cancelled leaves that one out', async () => {
    const clock = testClock('2026-03-01T09:30:00Z')
    const app = await started({
      router: counterRouter,
      eventStore: inMemoryEventStore({ clock }),
      clock,
      workers: 1,
      queue,
      recurring: [hourly()],
    })
    await clock.advance(0)
    await next(app, '2026-03-01T10:00:00Z')
    const [first] = await app.commands.list()
    await app.commands.cancel(first!.commandId)
    for (const hour of [11, 12]) {
      await clock.advance(HOUR)
      await next(app, `2026-03-01T${hour}:00:00Z`)
    }
    await until(async () => (await app.commands.depth()).states.completed === 1, 'the one after it')
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 11 })
    await app.stop()
  })

  it('is tried again where its command cannot be made', async () => {
    const clock = testClock()
    const logger = recordingLogger()
    let broken = true
    const flaky = recurring('flaky', {
      cron: '0 * * * *',
      timeZone: 'UTC',
      command: () => {
        if (broken) throw new Error('not now')
        return Add({ id: 'a', by: 1 })
      },
    })
    const eventStore = inMemoryEventStore({ clock })
    const app = await started({ router: counterRouter, eventStore, clock, logger, recurring: [flaky] })
    await clock.advance(0)
    await until(() => logger.entries.length > 0, 'the complaint')
    expect(logger.entries).toMatchObject([{ level: 'error', message: expect.stringContaining('flaky') }])
    broken = false
    await clock.advance(10_000)
    await until(async () => (await app.commands.list()).length === 1)
    await app.stop()
  })

  it('is refused where it makes no sense', () => {
    const command = () => Add({ id: 'a', by: 1 })
    const invalid = expect.objectContaining({ code: 'invalid_definition' })
    expect(() => recurring('', { cron: '0 * * * *', command })).toThrow(invalid)
    expect(() => recurring('x', { cron: 'every now and then', command })).toThrow(invalid)
    expect(() => recurring('x', { cron: '0 * * * *', timeZone: 'Mars/Olympus', command })).toThrow(invalid)
    expect(() => recurring('x', { cron: '0 * * * *', command, options: { priority: 'urgent' as never } })).toThrow(
      invalid,
    )
    const define = (list: unknown) =>
      application({ name: 'r', router: counterRouter, eventStore: inMemoryEventStore(), recurring: list as never })
    expect(() => define([hourly(), hourly()])).toThrow(invalid)
    expect(() => define([{}])).toThrow(invalid)
  })
})
