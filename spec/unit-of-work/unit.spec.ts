import { describe, expect, it } from '@jest/globals'
import {
  aggregate,
  application,
  command,
  commandHandler,
  event,
  inMemoryEventStore,
  router,
  shape,
  UnitOfWork,
  unitOfWork,
  type EventStore,
} from 'edict'
import { modelOf } from '../../lib/aggregate/aggregate.ts'
import { CommandContext } from '../../lib/dispatch/command-context.ts'
import { NOTHING_SAID, resolveOptions } from '../../lib/dispatch/options.ts'
import { unitHostOf, type UnitHost } from '../../lib/dispatch/unit-host.ts'
import { Unit } from '../../lib/unit-of-work/unit.ts'
import { UnitSource } from '../../lib/unit-of-work/unit-source.ts'
import { deferred, started } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { Author, CreditAuthor, publishing, PublishArticle, Article } from './publishing.ts'

const NOBODY = { failure: undefined, fence: () => undefined, appending: () => undefined }
function hostOf(app: object): UnitHost {
  const host = unitHostOf(app)
  if (host === undefined) throw new Error('that is no application')
  return host
}

/** A unit, and commands that are executed in it one after another. */
function unitOf(app: object) {
  const { services, defaults } = hostOf(app)
  const unit = new Unit(services, NOBODY, { multipleAggregates: true })
  const credit = async (authorId: string) => {
    const source = new UnitSource(services, resolveOptions({ ...NOTHING_SAID, ...defaults }, {}))
    const model = modelOf(Author)
    const group = model && services.instances.groupOf(model)
    if (group === undefined) throw new Error('nobody identifies the author')
    const root = await unit.load(group, authorId, source)
    root.execute(source, CreditAuthor({ authorId }), new CommandContext(source.asContext()))
    unit.add(root)
    return source.commandId
  }
  return { unit, credit }
}

describe.each(everyStore)('several commands in one unit, in $kind', ({ share }) => {
  const shared = share()

  it('leave their events in one stream after another, each with the id of its own command', async () => {
    const app = await started({ router: publishing, eventStore: shared.node() })
    await app.dispatch(CreditAuthor({ authorId: 'bob' }))
    const { unit, credit } = unitOf(app)
    const [first, second, third] = [await credit('ada'), await credit('bob'), await credit('ada')]
    const { events, roots } = await unit.commit()
    expect(
      events.map(({ streamId, streamVersion, position, commandId }) => [streamId, streamVersion, position, commandId]),
    ).toEqual([
      ['author-ada', 1, 2, first],
      ['author-ada', 2, 3, third],
      ['author-bob', 2, 4, second],
    ])
    expect(roots.map(({ version }) => version)).toEqual([2, 2])
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(3)
    expect(await app.aggregateState(Author, 'ada')).toEqual({ articles: 2 })
    const stored = await hostOf(app).services.store.readCommand('author-ada', third)
    expect(stored.map(({ streamVersion }) => streamVersion)).toEqual([2])
  })
})

const Register = command('Register', shape<{ id: string; email: string }>())
const Registered = event('Registered', shape<{ email: string }>())
const User = aggregate('User', {
  commands: [Register],
  events: [Registered],
  initialState: () => ({ email: '' }),
  execute: { Register: (_user, { email }) => Registered({ email }) },
  apply: { Registered: (_user, { email }) => ({ email }) },
  unique: { email: { of: ({ email }) => (email === '' ? undefined : email) } },
})
const users = router('users', (r) => r.identify(User, { by: 'id', prefix: 'user-' }).dispatch(Register, { to: User }))

async function register(app: object, changes: Readonly<Record<string, string>>): Promise<void> {
  const unit = new UnitOfWork(app as { name: string }, { multipleAggregates: true }).start()
  for (const [id, email] of Object.entries(changes)) {
    const user = (await unit.repository.find(User, id)) ?? (await unit.repository.create(User, id))
    user.raise(Registered({ email }))
    unit.repository.add(user)
  }
  await unit.commit()
}

describe.each(everyStore)('the unique values of aggregates in a unit, in $kind', ({ share }) => {
  const shared = share()

  it('are reserved with the events, and go from one to another', async () => {
    const app = await started({ router: users, eventStore: shared.node() })
    await register(app, { a: 'one@x', b: 'two@x' })
    await expect(app.dispatch(Register({ id: 'c', email: 'one@x' }))).rejects.toMatchObject({ code: 'value_taken' })
    await expect(register(app, { c: 'three@x', d: 'two@x' })).rejects.toMatchObject({ code: 'value_taken' })
    expect(await app.aggregateVersion(User, 'c')).toBe(0)
    await register(app, { a: 'two@x', b: 'one@x' })
    await expect(register(app, { a: 'one@x' })).rejects.toMatchObject({ code: 'value_taken' })
    await register(app, { a: 'free@x' })
    await app.dispatch(Register({ id: 'd', email: 'two@x' }))
    await expect(register(app, { e: 'same@x', f: 'same@x' })).rejects.toMatchObject({ code: 'value_taken' })
  })

  it('are told to be taken, and not of a conflict, where others got them while the attempts were used up', async () => {
    const [eventStore, other] = [shared.node(), await started({ router: users, eventStore: shared.node() })]
    let rival = 'none@x'
    const append: EventStore['append'] = async (...given) => {
      await other.dispatch(Register({ id: rival, email: rival }))
      return eventStore.append(...given)
    }
    const late = new Proxy(eventStore, {
      get: (target, key) => {
        if (key === 'append') return append
        const member: unknown = Reflect.get(target, key)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
    const handler = commandHandler(User, {
      commands: [Register],
      handle: {
        async Register({ id, email }, { repository }) {
          const user = await repository.create(User, id)
          user.raise(Registered({ email }))
          repository.add(user)
        },
      },
    })
    const handled = router('handled', (r) =>
      r.identify(User, { by: 'id', prefix: 'user-' }).dispatch(Register, { to: handler }),
    )
    const app = await started({ router: handled, eventStore: late })
    const wanted = (id: string) => {
      rival = `${id}@x`
      return Register({ id, email: rival })
    }
    const once = { retryAttempts: 0 }
    const taken = { code: 'value_taken', scope: 'User.email', outcome: 'not-executed' }
    await expect(app.dispatch(wanted('a'), once)).rejects.toMatchObject(taken)
    const { data } = wanted('b')
    await expect(register(app, { b: data.email })).rejects.toMatchObject(taken)
    const { email } = wanted('c').data
    const called = unitOfWork(
      app,
      async ({ repository }) => {
        const user = await repository.create(User, 'c')
        user.raise(Registered({ email }))
        repository.add(user)
      },
      once,
    )
    await expect(called).rejects.toMatchObject(taken)
    await expect(app.executeCommands([wanted('d')], once)).rejects.toMatchObject({
      code: 'batch_failed',
      failedCode: 'value_taken',
      index: 0,
    })
    for (const id of 'abcd') expect(await app.aggregateVersion(User, id)).toBe(0)
  })
})

describe('a store that cannot commit several streams at once', () => {
  const lacking = (): EventStore => {
    return new Proxy(inMemoryEventStore(), {
      get: (store, key) => {
        if (key === 'capabilities') return { ...store.capabilities, atomicStreams: false }
        const member: unknown = Reflect.get(store, key)
        return typeof member === 'function' ? (member.bind(store) as unknown) : member
      },
    })
  }
  const several = commandHandler(Article, {
    commands: [PublishArticle],
    multipleAggregates: true,
    handle: { PublishArticle: () => undefined },
  })

  it('is refused where a command handler may persist several aggregates, when the application is defined', () => {
    const define = () =>
      application({
        name: 'lacking',
        router: router('r', (r) => r.identify(Article, { by: 'articleId' }).dispatch(PublishArticle, { to: several })),
        eventStore: lacking(),
      })
    expect(define).toThrow(expect.objectContaining({ code: 'unsupported_capability' }))
  })

  it('is refused where a unit asks for it, and is good enough for one aggregate', async () => {
    const app = await started({ router: publishing, eventStore: lacking() })
    expect(() => new UnitOfWork(app, { multipleAggregates: true })).toThrow(
      expect.objectContaining({ code: 'unsupported_capability' }),
    )
    await unitOfWork(app, async ({ repository }) => {
      const author = await repository.create(Author, 'ada')
      author.execute(CreditAuthor({ authorId: 'ada' }))
      repository.add(author)
    })
    expect(await app.aggregateVersion(Author, 'ada')).toBe(1)
  })
})

describe('what goes on around a command in a unit', () => {
  it('is told once, whatever is run again: middleware and telemetry', async () => {
    const told: string[] = []
    let runs = 0
    const loaded = deferred()
    const handler = commandHandler(Article, {
      commands: [PublishArticle],
      handle: {
        async PublishArticle(_data, { repository }) {
          const author = (await repository.find(Author, 'ada')) ?? (await repository.create(Author, 'ada'))
          if (runs++ === 0) {
            loaded.resolve()
            await credited
          }
          author.execute(CreditAuthor({ authorId: 'ada' }))
          repository.add(author)
        },
      },
    })
    const app = await started({
      router: router('r', (r) =>
        r
          .identify(Article, { by: 'articleId' })
          .identify(Author, { by: 'authorId' })
          .middleware({ afterDispatch: ({ result }) => void told.push(`middleware ${result?.events.length}`) })
          .dispatch(PublishArticle, { to: handler })
          .dispatch(CreditAuthor, { to: Author }),
      ),
    })
    const credited = loaded.promise.then(() => app.dispatch(CreditAuthor({ authorId: 'ada' })))
    app.on('dispatch:conflict', ({ command: type, retried }) => told.push(`conflict of ${type} ${retried}`))
    app.on('dispatch:stop', ({ command: type, events }) =>
      told.push(`${type} ${events.map((one) => one.streamId).join()}`),
    )
    await app.dispatch(PublishArticle({ articleId: 'a1', publishedAt: 'now' }))
    expect(told).toEqual([
      'middleware 1',
      'CreditAuthor ada',
      'conflict of PublishArticle true',
      'middleware 1',
      'PublishArticle ada',
    ])
    expect(runs).toBe(2)
  })
})
