import { afterEach, describe, expect, it } from '@jest/globals'
import {
  aggregate,
  command,
  compositeRouter,
  event,
  router,
  RouterDefinitionError,
  shape,
  type Middleware,
} from 'edict'
import { started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

const Ping = command('Ping', shape<{ id: string }>())
const Pong = command('Pong', shape<{ id: string }>())
const Done = event('Done', shape<object>())
const part = <const Name extends string, const Asked extends typeof Ping | typeof Pong>(name: Name, asked: Asked) =>
  aggregate(name, {
    commands: [asked],
    events: [Done],
    initialState: () => ({ times: 0 }),
    execute: () => Done({}),
    apply: (state) => ({ times: state.times + 1 }),
  })
const Pinger = part('Pinger', Ping)
const Ponger = part('Ponger', Pong)

const pings = router('pings', (r) => r.identify(Pinger, { by: 'id', prefix: 'ping-' }).dispatch(Ping, { to: Pinger }))
const pongs = router('pongs', (r) => r.identify(Ponger, { by: 'id' }).dispatch(Pong, { to: Ponger }))

describe('a composite router', () => {
  it('has the commands of all its routers, and says who registered them', () => {
    const inner = compositeRouter(pings, pongs)
    const outer = router('outer', (r) => r.router(inner))
    expect(outer.routes).toEqual([
      { command: 'Ping', aggregate: 'Pinger', router: 'pings' },
      { command: 'Pong', aggregate: 'Ponger', router: 'pongs' },
    ])
    expect(inner.name).toBe('pings + pongs')
  })

  it('refuses a command of two routers, and names it and both', () => {
    const more = router('more', (r) => r.identify(Pinger, { by: 'id', prefix: 'ping-' }).dispatch(Ping, { to: Pinger }))
    const composing = () => compositeRouter(pings, more as never)
    expect(composing).toThrow(RouterDefinitionError)
    expect(composing).toThrow('the command Ping is registered in router pings and in router more')
  })

  it('refuses a command of two routers however deep they are', () => {
    const deep = router('deep', (r) => r.router(compositeRouter(pongs, pings)))
    expect(() => router('top', (r) => r.router(pings).router(deep as never))).toThrow('is registered')
  })

  it('refuses two definitions of one command type', () => {
    const OtherPing = command('Ping', shape<{ id: string; urgent: boolean }>())
    const Other = aggregate('Other', {
      commands: [OtherPing],
      events: [],
      initialState: () => 0,
      execute: () => undefined,
      apply: {},
    })
    const others = router('others', (r) => r.identify(Other, { by: 'id' }).dispatch(OtherPing, { to: Other }))
    expect(() => compositeRouter(pings, others as never)).toThrow(
      'Ping is registered in router pings and in router others',
    )
  })

  it('refuses routers that disagree on the prefix of an aggregate', () => {
    const Both = aggregate('Both', {
      commands: [Ping, Pong],
      events: [Done],
      initialState: () => 0,
      execute: () => Done({}),
      apply: (state) => state + 1,
    })
    const one = router('one', (r) => r.identify(Both, { by: 'id', prefix: 'both-' }).dispatch(Ping, { to: Both }))
    const agreeing = router('agreeing', (r) =>
      r.identify(Both, { by: 'id', prefix: () => 'both-' }).dispatch(Pong, { to: Both }),
    )
    const silent = router('silent', (r) => r.dispatch(Pong, { to: Both, identity: 'id' }))
    expect(compositeRouter(one, agreeing).routes).toHaveLength(2)
    const composing = () => compositeRouter(one, silent)
    expect(composing).toThrow(expect.objectContaining({ code: 'conflicting_prefix' }))
    expect(composing).toThrow('Both has the prefix "both-" in router one and "" in router silent')
  })

  it('refuses two aggregates of one name', () => {
    const Twin = part('Pinger', Pong)
    const twins = router('twins', (r) => r.identify(Twin, { by: 'id', prefix: 'ping-' }).dispatch(Pong, { to: Twin }))
    expect(() => compositeRouter(pings, twins)).toThrow(
      'two aggregates are named Pinger, in the routers pings and twins',
    )
  })

  it('runs the middleware around a command from the outermost router inwards', async () => {
    const seen: string[] = []
    const noting = (name: string): Middleware => ({ beforeDispatch: () => void seen.push(name) })
    const inner = router('inner', (r) =>
      r
        .middleware(noting('inner 1'))
        .identify(Pinger, { by: 'id', prefix: 'ping-' })
        .dispatch(Ping, { to: Pinger })
        .middleware(noting('inner 2')),
    )
    const middle = router('middle', (r) => r.router(inner).middleware(noting('middle')).router(pongs))
    const outer = router('outer', (r) => r.middleware(noting('outer')).router(middle))
    const app = await started({ router: outer })
    await app.dispatch(Ping({ id: '1' }))
    expect(seen).toEqual(['outer', 'middle', 'inner 1', 'inner 2'])
    seen.length = 0
    await app.dispatch(Pong({ id: '1' }))
    expect(seen).toEqual(['outer', 'middle'])
  })

  it('lets each of its routers dispatch through the application that holds it', async () => {
    const app = await started({ router: compositeRouter(pings, compositeRouter(pongs)) })
    const { streamId } = await pings.dispatch(Ping({ id: '1' }))
    expect(streamId).toBe('ping-1')
    await pongs.dispatch(Pong({ id: '1' }))
    expect(await app.aggregateVersion(Ponger, '1')).toBe(1)
  })
})
