import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, workflow, type AroundMiddleware } from 'edict'
import { testClock } from 'edict/testing'
import { started, stopAll } from '../support/counter.ts'
import { heldAppend } from '../support/held-append.ts'
import { Enter, Entered, Ledger, ledgerRouter, Look } from './ledger.ts'

// What comes again under its ids goes the way that it went when it came first.

const one = Enter({ ledger: 'a', text: 'one' })
const two = Enter({ ledger: 'b', text: 'two' })
const both = [one, Look({ ledger: 'c' }), two] as const
const commandIds = ['1', '2', '3']

const follow = workflow('follow', { events: [Entered], handle: () => undefined })

/** Tells whose a command is, as who knows it by its session. */
const ofTenant =
  (tenantOf: (text: string | undefined) => string): AroundMiddleware =>
  async (pipeline, next) => {
    pipeline.tenant = tenantOf((pipeline.command.data as { text?: string }).text)
    await next()
  }
const north = ofTenant(() => 'north')

const late = () => ({ deadline: Date.now() - 1 })

describe('a command that workflows follow, and that comes again', () => {
  afterEach(stopAll)

  it('is answered too late, too, where its middleware says whose it is', async () => {
    const app = await started({ router: ledgerRouter(north), workflows: [follow] })
    const first = await app.dispatch(one, { commandId: '1' })
    expect(first.events).toMatchObject([{ tenant: 'north' }])
    expect(await app.dispatch(one, { commandId: '1', ...late() })).toEqual(first)
    await expect(app.dispatch(one, { commandId: '2', ...late() })).rejects.toMatchObject({
      code: 'deadline_exceeded',
      outcome: 'not-executed',
    })
    expect(await app.aggregateVersion(Ledger, 'a', { tenant: 'north' })).toBe(1)
  })

  it('is said to be executed where a middleware fails after it', async () => {
    let fails = false
    const failing: AroundMiddleware = async (_pipeline, next) => {
      await next()
      if (fails) throw new Error('boom')
    }
    const app = await started({ router: ledgerRouter(failing), workflows: [follow] })
    const first = await app.dispatch(one, { commandId: '1' })
    fails = true
    await expect(app.dispatch(one, { commandId: '1' })).rejects.toMatchObject({
      code: 'command_failed',
      outcome: 'executed',
      executionResult: { events: first.events },
    })
    await expect(app.dispatch(one, { commandId: '2' })).rejects.toMatchObject({ outcome: 'not-executed' })
  })

  it.each(['under way', 'of which nobody knows what became, since its time is over'])(
    'too late waits for an append %s',
    async (what) => {
      const { eventStore, begun, letGo } = heldAppend(inMemoryEventStore())
      const clock = testClock()
      const app = await started({ router: ledgerRouter(), workflows: [follow], eventStore, clock })
      const first = app.dispatch(one, { commandId: '1', timeout: 1_000 })
      await begun
      if (what !== 'under way') {
        const timedOut = expect(first).rejects.toMatchObject({ code: 'command_timeout', outcome: 'unknown' })
        await clock.advance(1_000)
        await timedOut
      }
      const again = app.dispatch(one, { commandId: '1', deadline: clock.now() - 1 })
      letGo()
      expect((await again).events).toMatchObject([{ data: { text: 'one' } }])
    },
  )
})

describe('a batch that comes again', () => {
  afterEach(stopAll)

  it('goes through its middleware, which may keep others from its answer, and says in time and too late whose it is', async () => {
    let mayPass = true
    const guards: string[] = []
    const guarding: AroundMiddleware = async ({ command: { type } }, next) => {
      guards.push(type)
      if (mayPass || type === 'Look') await next()
    }
    const app = await started({ router: ledgerRouter(guarding, north) })
    const first = await app.executeCommands(both, { commandIds })
    for (const options of [{ commandIds }, { commandIds, ...late() }]) {
      const again = await app.executeCommands(both, options)
      expect(again.results.map((result) => ({ ...result }))).toEqual(first.results.map((result) => ({ ...result })))
    }
    expect(guards).toHaveLength(9)
    mayPass = false
    for (const options of [{ commandIds }, { commandIds, ...late() }]) {
      await expect(app.executeCommands(both, options)).rejects.toMatchObject({ failedCode: 'halted', index: 0 })
    }
    expect(await app.aggregateVersion(Ledger, 'b', { tenant: 'north' })).toBe(1)
  })

  it('is answered with what its middleware says this time, and said to be executed where that fails', async () => {
    let fails = false
    const answering: AroundMiddleware = async (pipeline, next) => {
      await next()
      pipeline.respond(`${pipeline.isProvisional}`)
      if (fails && (pipeline.command.data as { text?: string }).text === 'two') pipeline.halt()
    }
    const app = await started({ router: ledgerRouter(answering) })
    const first = await app.executeCommands(both, { commandIds })
    const again = await app.executeCommands(both, { commandIds })
    expect([first, again].map(({ results }) => results[2].reply)).toEqual(['true', 'false'])
    fails = true
    await expect(app.executeCommands(both, { commandIds })).rejects.toMatchObject({
      code: 'batch_failed',
      index: 2,
      outcome: 'executed',
      cause: { code: 'halted', outcome: 'executed' },
    })
  })

  it('has all the time that its middleware takes, once it is known to be executed', async () => {
    const clock = testClock()
    const slow: AroundMiddleware = async (pipeline, next) => {
      await next()
      if (!pipeline.isProvisional) await clock.advance(2_000)
    }
    const app = await started({ router: ledgerRouter(slow), workflows: [follow], clock })
    const options = { commandIds, timeout: 1_000 }
    const { position } = await app.executeCommands(both, options)
    expect(await app.executeCommands(both, options)).toMatchObject({ position })
    const alone = { commandId: '1', timeout: 1_000 }
    const { events } = await app.dispatch(one, alone)
    expect(await app.dispatch(one, alone)).toMatchObject({ events })
  })

  it('is another one where its middleware says that one of its commands is of another tenant', async () => {
    let second = 'north'
    const app = await started({ router: ledgerRouter(ofTenant((text) => (text === 'two' ? second : 'north'))) })
    await app.executeCommands(both, { commandIds })
    second = 'south'
    await expect(app.executeCommands(both, { commandIds })).rejects.toMatchObject({
      failedCode: 'duplicate_command',
      outcome: 'not-executed',
    })
    expect(await app.aggregateVersion(Ledger, 'b', { tenant: 'south' })).toBe(0)
  })

  it('too late waits for an append under way', async () => {
    const { eventStore, begun, letGo } = heldAppend(inMemoryEventStore())
    const app = await started({ router: ledgerRouter(), eventStore })
    const first = app.executeCommands(both, { commandIds })
    await begun
    const again = app.executeCommands(both, { commandIds, ...late() })
    letGo()
    expect((await again).position).toBe((await first).position)
  })
})
