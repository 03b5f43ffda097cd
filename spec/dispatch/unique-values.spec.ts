import { afterEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  aggregate,
  application,
  command,
  event,
  inMemoryEventStore,
  readAllEvents,
  router,
  shape,
  subscribe,
  UniqueValueTakenError,
  type EventStore,
} from 'edict'
import { recordingLogger, started, stopAll, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

const Register = command('Register', shape<{ id: string; email: string }>())
const ChangeEmail = command('ChangeEmail', shape<{ id: string; email: string }>())
const AddAliases = command('AddAliases', shape<{ id: string; aliases: string[] }>())
const Leave = command('Leave', shape<{ id: string }>())
const Registered = event('Registered', shape<{ email: string }>())
const EmailChanged = event('EmailChanged', shape<{ email: string }>())
const AliasesAdded = event('AliasesAdded', shape<{ aliases: string[] }>())
const Left = event('Left', shape<object>())

const User = aggregate('User', {
  commands: [Register, ChangeEmail, AddAliases, Leave],
  events: [Registered, EmailChanged, AliasesAdded, Left],
  initialState: () => ({ email: undefined as string | undefined, aliases: [] as string[] }),
  execute: {
    Register: (_user, { email }) => Registered({ email }),
    ChangeEmail: (user, { email }) => (user.email === email ? undefined : EmailChanged({ email })),
    AddAliases: (_user, { aliases }) => AliasesAdded({ aliases }),
    Leave: () => Left({}),
  },
  apply: {
    Registered: (user, { email }) => void (user.email = email),
    EmailChanged: (user, { email }) => void (user.email = email),
    AliasesAdded: (user, { aliases }) => void user.aliases.push(...aliases),
    Left: () => ({ email: undefined, aliases: [] }),
  },
  unique: {
    email: { of: (user) => user.email, normalize: (email) => email.trim().toLowerCase() },
    alias: { of: (user) => user.aliases },
  },
})

const users = router('users', (r) =>
  r.identify(User, { by: 'id', prefix: 'user-' }).dispatch([Register, ChangeEmail, AddAliases, Leave], { to: User }),
)

const reservationsIn = async (store: EventStore) => {
  const found: { type: string; data: unknown; streamId: string }[] = []
  for await (const { type, data, streamId } of readAllEvents(store, { category: 'edict.unique' })) {
    found.push({ type, streamId, data: typeof data === 'string' ? JSON.parse(data) : data })
  }
  return found
}

/** A store before whose appends something else happens, once. */
function beforeAppend(store: EventStore, work: () => Promise<unknown>): EventStore {
  return new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key)
      if (key === 'append') {
        return async (...given: Parameters<EventStore['append']>) => {
          await work()
          return target.append(...given)
        }
      }
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

const taken = { code: 'value_taken', outcome: 'not-executed' }

afterEach(stopAll)

describe.each(everyStore)('a unique value on $kind', ({ share }) => {
  const stores = share()
  const node = async (options: { eventStore?: EventStore } = {}) => {
    const eventStore = options.eventStore ?? stores.node()
    return { eventStore, app: await started({ router: users, eventStore, snapshots: { User: { every: 2 } } }) }
  }

  it('goes to one of a hundred who want it at once, from two nodes; the others are refused, and nothing of them is stored', async () => {
    const [one, other] = [await node(), await node()]
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        (index % 2 === 0 ? one : other).app.tryDispatch(Register({ id: `${index}`, email: 'Ada@Example.com' })),
      ),
    )
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.ok) continue
      expect(outcome.error).toBeInstanceOf(UniqueValueTakenError)
      expect(outcome.error).toMatchObject({ ...taken, scope: 'User.email' })
    }
    expect(await one.eventStore.headPosition()).toBe(2)
  })

  it('is the same in other spellings, as normalize says', async () => {
    const { app } = await node()
    await app.dispatch(Register({ id: 'a', email: 'ada@example.com' }))
    await expect(app.dispatch(Register({ id: 'b', email: ' ADA@example.com' }))).rejects.toMatchObject(taken)
    await expect(app.dispatch(ChangeEmail({ id: 'a', email: 'ADA@example.com' }))).resolves.toMatchObject({
      aggregateVersion: 2,
    })
  })

  it('is free again with the event that gives it up, for another one and for the same one', async () => {
    const [one, other] = [await node(), await node()]
    await one.app.dispatch(Register({ id: 'a', email: 'ada@x' }))
    await one.app.dispatch(ChangeEmail({ id: 'a', email: 'countess@x' }))
    await other.app.dispatch(Register({ id: 'b', email: 'ada@x' }))
    await expect(one.app.dispatch(ChangeEmail({ id: 'a', email: 'ada@x' }))).rejects.toMatchObject(taken)
    await other.app.dispatch(Leave({ id: 'b' }))
    await one.app.dispatch(ChangeEmail({ id: 'a', email: 'ada@x' }))
    await expect(other.app.dispatch(Register({ id: 'c', email: 'ada@x' }))).rejects.toMatchObject(taken)
    await expect(other.app.dispatch(Register({ id: 'd', email: 'countess@x' }))).resolves.toBeDefined()
  })

  it('may be one of several, of which all are got or none', async () => {
    const { app } = await node()
    await app.dispatch(AddAliases({ id: 'a', aliases: ['x', 'y'] }))
    await expect(app.dispatch(AddAliases({ id: 'b', aliases: ['z', 'y'] }))).rejects.toMatchObject({
      ...taken,
      scope: 'User.alias',
    })
    await expect(app.dispatch(AddAliases({ id: 'c', aliases: ['z'] }))).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('outlives restarts and snapshots', async () => {
    const first = await node()
    await first.app.dispatch(Register({ id: 'a', email: 'ada@x' }))
    await first.app.dispatch(AddAliases({ id: 'a', aliases: ['x'] }))
    await first.app.dispatch(AddAliases({ id: 'a', aliases: ['y'] }))
    await first.app.stop()
    const { app } = await node({ eventStore: stores.node() })
    await expect(app.dispatch(Register({ id: 'b', email: 'ada@x' }))).rejects.toMatchObject(taken)
    await app.dispatch(ChangeEmail({ id: 'a', email: 'countess@x' }))
    await app.dispatch(Register({ id: 'b', email: 'ada@x' }))
  })

  it('is free once the stream of its owner is deleted, and stays taken while it is archived', async () => {
    const { app, eventStore } = await node()
    await app.dispatch(Register({ id: 'a', email: 'ada@x' }))
    await eventStore.archiveStream('user-a')
    await expect(app.dispatch(Register({ id: 'b', email: 'ada@x' }))).rejects.toMatchObject(taken)
    await eventStore.restoreStream('user-a')
    await eventStore.deleteStream('user-a')
    await app.dispatch(Register({ id: 'b', email: 'ada@x' }))
    await expect(app.dispatch(Register({ id: 'c', email: 'ada@x' }))).rejects.toMatchObject(taken)
  })

  it('is got once by a command that comes twice under its id, on two nodes at the same time too', async () => {
    const [one, other] = [await node(), await node()]
    const again = (app: typeof one.app) => app.dispatch(Register({ id: 'a', email: 'ada@x' }), { commandId: 'reg-1' })
    const [left, right] = await Promise.all([again(one.app), again(other.app)])
    expect([left.aggregateVersion, right.aggregateVersion]).toEqual([1, 1])
    await one.app.dispatch(ChangeEmail({ id: 'a', email: 'countess@x' }))
    await expect(again(other.app)).resolves.toMatchObject({ aggregateVersion: 1, aggregateState: { email: 'ada@x' } })
    await expect(other.app.dispatch(Register({ id: 'b', email: 'ada@x' }))).resolves.toBeDefined()
    const facts = await reservationsIn(one.eventStore)
    expect(facts.map(({ type }) => type.slice('edict.Value'.length))).toEqual([
      'Reserved',
      'Reserved',
      'Released',
      'Reserved',
    ])
  })

  it('is refused where another one got it while the attempts were used up', async () => {
    const eventStore = stores.node()
    const { app: other } = await node()
    let overtake = (): Promise<unknown> => Promise.resolve()
    const late = beforeAppend(eventStore, () => overtake())
    const { app } = await node({ eventStore: late })
    await app.dispatch(Register({ id: 'a', email: 'ada@x' }))
    overtake = () => other.dispatch(Register({ id: 'b', email: 'countess@x' }))
    const changing = app.dispatch(ChangeEmail({ id: 'a', email: 'countess@x' }), { retryAttempts: 0 })
    await expect(changing).rejects.toMatchObject({ ...taken, scope: 'User.email' })
    // By then it is free again: nobody has it.
    overtake = async () => {
      await other.dispatch(Register({ id: 'c', email: 'lovelace@x' }))
      await other.dispatch(Leave({ id: 'c' }))
    }
    const again = app.dispatch(ChangeEmail({ id: 'a', email: 'lovelace@x' }), { retryAttempts: 0 })
    await expect(again).rejects.toMatchObject({ code: 'version_conflict', outcome: 'not-executed' })
    expect(await app.aggregateVersion(User, 'a')).toBe(1)
  })

  it('may be asked for again by a command that was refused, under the same id', async () => {
    const { app } = await node()
    await app.dispatch(Register({ id: 'a', email: 'ada@x' }))
    const ask = () => app.dispatch(Register({ id: 'b', email: 'ada@x' }), { commandId: 'reg-b' })
    await expect(ask()).rejects.toMatchObject(taken)
    await app.dispatch(Leave({ id: 'a' }))
    await expect(ask()).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('is given back to nobody by one command id that several aggregates use', async () => {
    const { app } = await node()
    const shared = { commandId: 'the-same' }
    await app.dispatch(Register({ id: 'a', email: 'ada@x' }), shared)
    await app.dispatch(Leave({ id: 'a' }))
    await expect(app.dispatch(Register({ id: 'b', email: 'ada@x' }), shared)).resolves.toBeDefined()
  })

  it('is kept by streams that do not say it, and that no reader is given', async () => {
    const { app, eventStore } = await node()
    await app.dispatch(Register({ id: 'a', email: 'ada@example.com' }))
    const [reservation] = await reservationsIn(eventStore)
    expect(reservation).toEqual({
      type: 'edict.ValueReserved',
      streamId: expect.stringMatching(/^edict\.unique-[0-9a-f-]{36}$/) as unknown,
      data: { scope: 'User.email', owner: 'user-a' },
    })
    const seen: string[] = []
    const subscription = subscribe(eventStore, { handle: ({ type }) => void seen.push(type) })
    await until(() => subscription.position === 2, 'reading on')
    await subscription.stop()
    expect(seen).toEqual(['Registered'])
  })
})

describe('a unique value', () => {
  it('is unique to each tenant: one is not told what another one has', async () => {
    const app = await started({ router: users })
    const ada = { email: 'ada@example.org' }
    await app.dispatch(Register({ id: '1', ...ada }), { tenant: 'acme' })
    await app.dispatch(Register({ id: '1', ...ada }), { tenant: 'globex' })
    await app.dispatch(Register({ id: '1', ...ada }))
    await expect(app.dispatch(Register({ id: '2', ...ada }), { tenant: 'acme' })).rejects.toMatchObject({
      code: 'value_taken',
    })
    expect((await app.metrics()).dispatches).toMatchObject({ executed: 3, rejected: 1, failed: 0 })
  })

  it('is refused on a state that another node has left behind only after the state was looked at again', async () => {
    const eventStore = inMemoryEventStore()
    const [one, other] = [await started({ router: users, eventStore }), await started({ router: users, eventStore })]
    await one.dispatch(Register({ id: 'a', email: 'ada@x' }))
    await other.dispatch(ChangeEmail({ id: 'a', email: 'countess@x' }))
    // In memory of the first node, a has ada@x still.
    await expect(one.dispatch(ChangeEmail({ id: 'a', email: 'countess@x' }))).resolves.toMatchObject({ events: [] })
  })

  it('belongs to at most one aggregate at any time, whatever the commands and their order', async () => {
    const ids = fc.constantFrom('a', 'b', 'c')
    const emails = fc.constantFrom('x', 'X', 'y', 'z')
    const commands = fc.oneof(
      fc.record({ id: ids, email: emails }).map((data) => Register(data)),
      fc.record({ id: ids, email: emails }).map((data) => ChangeEmail(data)),
      fc.record({ id: ids }).map((data) => Leave(data)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(commands, fc.boolean()), { maxLength: 25 }), async (list) => {
        const eventStore = inMemoryEventStore()
        const nodes = [await started({ router: users, eventStore }), await started({ router: users, eventStore })]
        await Promise.all(list.map(async ([one, first]) => nodes[first ? 0 : 1]?.tryDispatch(one as never)))
        const owners = new Map<string, string>()
        for (const id of ['a', 'b', 'c']) {
          const { email } = (await nodes[0]?.aggregateState(User, id)) ?? {}
          if (email === undefined) continue
          expect(owners.get(email.toLowerCase())).toBeUndefined()
          owners.set(email.toLowerCase(), `user-${id}`)
        }
        const reserved = new Map<string, unknown>()
        for (const { type, streamId, data } of await reservationsIn(eventStore)) {
          if (type === 'edict.ValueReserved') reserved.set(streamId, (data as { owner: string }).owner)
          else reserved.delete(streamId)
        }
        expect([...reserved.values()].toSorted()).toEqual([...owners.values()].toSorted())
        await stopAll()
      }),
      { numRuns: 60 },
    )
  })

  it('may be shared by two aggregates that name the same scope', async () => {
    const Open = command('Open', shape<{ id: string; handle: number }>())
    const Opened = event('Opened', shape<{ handle: number }>())
    const shop = (name: string) =>
      aggregate(name, {
        commands: [Open],
        events: [Opened],
        initialState: () => ({ handle: undefined as number | undefined }),
        execute: { Open: (_shop, { handle }) => Opened({ handle }) },
        apply: { Opened: (_shop, { handle }) => ({ handle }) },
        unique: { handle: { of: (state) => state.handle, scope: 'handle' } },
      })
    const [Shop, Stall] = [shop('Shop'), shop('Stall')]
    const eventStore = inMemoryEventStore()
    const shops = router('shops', (r) => r.identify(Shop, { by: 'id', prefix: 's-' }).dispatch(Open, { to: Shop }))
    const stalls = router('stalls', (r) => r.identify(Stall, { by: 'id', prefix: 't-' }).dispatch(Open, { to: Stall }))
    const one = await started({ router: shops, eventStore })
    const other = await started({ router: stalls, eventStore })
    await one.dispatch(Open({ id: '1', handle: 7 }))
    await expect(other.dispatch(Open({ id: '1', handle: 7 }))).rejects.toMatchObject({ ...taken, scope: 'handle' })
  })

  it.each<[string, unknown, unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
      undefined,
      'command_failed',
    ],
    ['gives a promise', () => Promise.resolve('x'), undefined, 'invalid_outcome'],
    ['gives an empty text', () => '', undefined, 'invalid_outcome'],
    ['gives NaN in a list', () => ['x', Number.NaN], undefined, 'invalid_outcome'],
    [
      'is normalized by what throws',
      () => 'x',
      () => {
        throw new Error('broken')
      },
      'command_failed',
    ],
    ['is normalized to no text', () => 'x', () => undefined, 'invalid_outcome'],
  ])('whose function %s fails the command, and nothing is stored', async (_what, of, normalize, code) => {
    const Do = command('Do', shape<{ id: string }>())
    const Done = event('Done', shape<object>())
    const Thing = aggregate('Thing', {
      commands: [Do],
      events: [Done],
      initialState: () => ({ done: false }),
      execute: { Do: () => Done({}) },
      apply: { Done: () => ({ done: true }) },
      unique: {
        key: {
          of: (state) => (state.done ? (of as () => string)() : undefined),
          normalize: (normalize ?? String) as never,
        },
      },
    })
    const things = router('things', (r) => r.identify(Thing, { by: 'id' }).dispatch(Do, { to: Thing }))
    const eventStore = inMemoryEventStore()
    const app = await started({ router: things, eventStore })
    await expect(app.dispatch(Do({ id: 'a' }))).rejects.toMatchObject({ code, outcome: 'not-executed' })
    expect(await eventStore.headPosition()).toBe(0)
  })

  it('that is defined wrongly, or on a store that cannot keep it, is refused when it is defined', () => {
    const define = (unique: unknown) =>
      aggregate('Thing', {
        commands: [],
        events: [],
        initialState: () => ({}),
        execute: {},
        apply: {},
        unique: unique as never,
      })
    const invalid = (message: string) =>
      expect.objectContaining({ code: 'invalid_definition', message }) as unknown as Error
    expect(() => define([])).toThrow(invalid('Thing: unique must be an object of { of, normalize?, scope? } by key'))
    expect(() => define({ a: 5 })).toThrow(invalid('Thing: unique.a must be { of, normalize?, scope? }'))
    expect(() => define({ a: {} })).toThrow(invalid('Thing: unique.a needs of, a function of the state'))
    expect(() => define({ a: { of: String, by: 1 } })).toThrow(
      invalid('Thing: unique.a has no by; it has of, normalize, scope'),
    )
    expect(() => define({ a: { of: String, scope: '' } })).toThrow(
      invalid('Thing: unique.a.scope must be a non-empty text'),
    )
    expect(() => define({ a: { of: String, scope: 'x' }, b: { of: String, scope: 'x' } })).toThrow(
      invalid('Thing: two of its unique values have the scope x'),
    )
    const inner = inMemoryEventStore()
    const eventStore: EventStore = Object.create(inner, {
      capabilities: { value: { ...inner.capabilities, atomicStreams: false } },
    })
    expect(() => application({ name: 'users', router: users, eventStore, logger: recordingLogger() })).toThrow(
      expect.objectContaining({ code: 'unsupported_capability' }),
    )
  })
})
