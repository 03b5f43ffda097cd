import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { auditTrail, eventHandler, router } from 'edict'
import type { AuditEntry, AuditNode, AuditTrail, AuditTrailOptions } from 'edict'
import { Add, Added, Explode, Noop, counterRouter, started, stopAll } from '../support/counter.ts'
import { auditPlaces, type AuditPlace } from './audit-stores.ts'

afterEach(stopAll)

const audited = (trail: AuditTrail, name = 'audited') =>
  router(name, (all) => all.middleware(trail).router(counterRouter))

describe.each(auditPlaces)('an audit trail %s', (_name, make) => {
  let place: AuditPlace
  const trails: AuditTrail[] = []
  const trailOf = (options: Partial<AuditTrailOptions> = {}): AuditTrail => {
    const trail = auditTrail({ store: place.store(), ...options })
    trails.push(trail)
    return trail
  }

  beforeAll(async () => {
    place = await make()
  }, 120_000)
  afterEach(async () => {
    await stopAll()
    for (const trail of trails.splice(0)) await trail.close()
  })
  afterAll(() => place.remove())

  const outcomes = (entries: readonly AuditEntry[]) =>
    entries.map(({ command, outcome, code }) => [command, outcome, code])

  it('has every command with its outcome: executed, rejected, failed, halted and refused', async () => {
    const trail = trailOf()
    const halting = router('halting', (all) =>
      all
        .middleware({
          beforeDispatch: (pipeline) => {
            if (pipeline.metadata['stop'] === true) pipeline.halt({ why: 'stop' })
          },
        })
        .router(audited(trail)),
    )
    const app = await started({ name: 'outcomes', router: halting })
    const correlationId = `outcomes-${_name}`
    await app.dispatch(Add({ id: 'a', by: 1 }), { correlationId, metadata: { user: 'ada' } })
    await app.tryDispatch(Add({ id: 'a', by: -1 }), { correlationId })
    await app.dispatch(Explode({ id: 'a', with: 'broken' }), { correlationId }).catch(() => undefined)
    await app.dispatch(Noop({ id: 'a' }), { correlationId, metadata: { stop: true } }).catch(() => undefined)
    await app.dispatch(Noop({ id: '' }), { correlationId }).catch(() => undefined)
    const { entries, next } = await trail.find({ correlationId, direction: 'forward' })
    expect(next).toBeUndefined()
    expect(outcomes(entries)).toEqual([
      ['Add', 'executed', undefined],
      ['Add', 'rejected', 'negative'],
      ['Explode', 'failed', 'command_failed'],
      ['Noop', 'halted', 'halted'],
      ['Noop', 'refused', 'invalid_identity'],
    ])
    const [first, second, , fourth, fifth] = entries
    expect(first).toMatchObject({
      application: 'outcomes',
      aggregate: 'Counter',
      aggregateId: 'a',
      streamId: 'counter-a',
      correlationId,
      causationId: first?.commandId,
      metadata: { user: 'ada' },
      aggregateVersion: 1,
      events: [{ type: 'Added', streamId: 'counter-a', streamVersion: 1, position: 1 }],
      data: undefined,
      reason: undefined,
    })
    expect(first?.dispatchedAt).toBeInstanceOf(Date)
    expect(first?.duration).toBeGreaterThanOrEqual(0)
    expect(second).toMatchObject({ details: { by: -1 }, events: [], reason: expect.stringContaining('Add') })
    expect(fourth).toMatchObject({ details: { why: 'stop' } })
    expect(fifth).toMatchObject({ commandId: undefined, aggregate: undefined })
  })

  it('is asked by command id, aggregate, type, outcome and time, a page at a time, the latest first', async () => {
    const trail = trailOf()
    const app = await started({ router: audited(trail) })
    const correlationId = `pages-${_name}`
    const commandId = `third-${_name}`
    for (const by of [1, 2]) await app.dispatch(Add({ id: 'p', by }), { correlationId })
    await app.dispatch(Add({ id: 'p', by: 3 }), { correlationId, commandId })
    await app.dispatch(Noop({ id: 'q' }), { correlationId })
    const versions = (entries: readonly AuditEntry[]) => entries.map(({ aggregateVersion }) => aggregateVersion)

    const one = await trail.find({ correlationId, aggregate: 'Counter', aggregateId: 'p', limit: 2 })
    expect(versions(one.entries)).toEqual([3, 2])
    const two = await trail.find({ correlationId, aggregateId: 'p', limit: 2, after: one.next ?? 0 })
    expect(versions(two.entries)).toEqual([1])
    expect(two.next).toBeUndefined()

    expect((await trail.entry(commandId))?.aggregateVersion).toBe(3)
    expect(await trail.entry('nobody')).toBeUndefined()
    expect((await trail.find({ correlationId, command: 'Noop' })).entries).toHaveLength(1)
    expect((await trail.find({ correlationId, outcome: 'rejected' })).entries).toEqual([])
    const { dispatchedAt } = (await trail.find({ correlationId, direction: 'forward', limit: 1 }))
      .entries[0] as AuditEntry
    expect((await trail.find({ correlationId, from: dispatchedAt })).entries).toHaveLength(4)
    expect((await trail.find({ correlationId, to: dispatchedAt })).entries).toEqual([])
  })

  it('follows what a command led to as a tree of commands and events', async () => {
    const trail = trailOf()
    const follow = eventHandler('follow', {
      events: [Added],
      consistency: 'strong',
      handle: async ({ by }, _recorded, { dispatch }) => {
        if (by === 1) for (const next of [2, -1]) await dispatch(Add({ id: 'b', by: next })).catch(() => undefined)
      },
    })
    const app = await started({ router: audited(trail), handlers: [follow] })
    const commandId = `root-${_name}`
    await app.dispatch(Add({ id: 'a', by: 1 }), { commandId, consistency: 'strong' })

    const drawn = ({ entry, events, commands }: AuditNode): unknown => [
      `${entry.command} ${entry.outcome}`,
      ...events.map(({ event, commands: caused }) => [event.type, ...caused.map(drawn)]),
      ...commands.map(drawn),
    ]
    const tree = await trail.tree({ commandId })
    expect(tree && drawn(tree)).toEqual(['Add executed', ['Added', ['Add executed', ['Added']], ['Add rejected']]])
    expect((await trail.tree({ correlationId: commandId })).map(drawn)).toEqual([tree && drawn(tree)])
    const inner = tree?.events[0]?.commands[0]
    expect(await trail.tree({ commandId: inner?.entry.commandId ?? '' })).toEqual(inner)
    expect(await trail.tree({ commandId: 'nobody' })).toBeUndefined()
  })

  it('has everything when the application has stopped, and can still be asked', async () => {
    const trail = trailOf({ writeDelay: 1_000_000 })
    const app = await started({ router: audited(trail) })
    const correlationId = `stopped-${_name}`
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => app.dispatch(Add({ id: `s${index}`, by: 1 }), { correlationId })),
    )
    await app.stop()
    const later = trailOf()
    expect((await later.find({ correlationId, limit: 1_000 })).entries).toHaveLength(50)
    expect((await trail.find({ correlationId, limit: 1_000 })).entries).toHaveLength(50)
  })

  it('where it is durable, has a command before it runs, and one entry for it when it is through', async () => {
    const trail = trailOf({ durable: true })
    const correlationId = `durable-${_name}`
    let seen: readonly AuditEntry[] = []
    const looking = router('looking', (all) =>
      all.router(audited(trail)).middleware({
        afterDispatch: async () => {
          seen = (await later.find({ correlationId })).entries
        },
      }),
    )
    const later = trailOf()
    const app = await started({ router: looking })
    await app.dispatch(Add({ id: 'd', by: 1 }), { correlationId })
    expect(outcomes(seen)).toEqual([['Add', 'begun', undefined]])
    expect(outcomes((await trail.find({ correlationId })).entries)).toEqual([['Add', 'executed', undefined]])
  })
})
