import { describe, expect, it } from '@jest/globals'
import {
  commandHandler,
  currentUnitOfWork,
  eventHandler,
  router,
  UnitOfWork,
  unitOfWork,
  upcaster,
  type UnitOfWorkScope,
} from 'edict'
import { deferred, recordingLogger, started } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import {
  Article,
  ArticleWritten,
  Author,
  AuthorCredited,
  CreditAuthor,
  publishing,
  PublishArticle,
} from './publishing.ts'

const credit = CreditAuthor({ authorId: 'ada' })

const authors = router('authors', (routes) =>
  routes.identify(Author, { by: 'authorId', prefix: 'author-' }).dispatch(CreditAuthor, { to: Author }),
)

/** Credits an author in a unit. */
async function crediting({ repository }: UnitOfWorkScope, authorId = 'ada'): Promise<number> {
  const author = (await repository.find(Author, authorId)) ?? (await repository.create(Author, authorId))
  author.execute(CreditAuthor({ authorId }))
  repository.add(author)
  return author.state.articles
}

describe.each(everyStore)('a unit of work, in $kind', ({ share }) => {
  const shared = share()

  it('stores at its commit what was added, and nothing before', async () => {
    const app = await started({ router: publishing, eventStore: shared.node() })
    const unit = new UnitOfWork(app, { metadata: { by: 'hand' }, tenant: 'acme' }).start()
    await crediting(unit)
    expect(await app.aggregateVersion(Author, 'ada', { tenant: 'acme' })).toBe(0)
    const { events, position } = await unit.commit()
    expect(events).toMatchObject([
      { type: 'AuthorCredited', metadata: { by: 'hand' }, tenant: 'acme', streamVersion: 1 },
    ])
    expect(position).toBe(1)
    expect(await app.aggregateVersion(Author, 'ada', { tenant: 'acme' })).toBe(1)
    expect(await app.aggregateVersion(Author, 'ada')).toBe(0)
  })

  it('leaves live aggregates as they are stored', async () => {
    const app = await started({ router: publishing, eventStore: shared.node() })
    await app.dispatch(credit)
    await unitOfWork(app, (unit) => crediting(unit))
    const next = await app.dispatch(credit, { expectedVersion: 2 })
    expect(next).toMatchObject({ aggregateVersion: 3, aggregateState: { articles: 3 } })
  })

  it('runs its code again in a fresh unit after a conflict, and the hooks of the one that committed', async () => {
    const app = await started({ router: publishing, eventStore: shared.node() })
    const other = await started({ router: publishing, eventStore: shared.node() })
    const committed: number[] = []
    let runs = 0
    const articles = await unitOfWork(app, async (unit) => {
      const run = ++runs
      unit.afterCommit(() => committed.push(run))
      const credited = await crediting(unit)
      if (run === 1) await other.dispatch(credit)
      return credited
    })
    expect({ runs, committed, articles }).toEqual({ runs: 2, committed: [2], articles: 2 })
  })

  it('is refused its commit where somebody else wrote meanwhile, and then nothing is stored', async () => {
    const app = await started({ router: publishing, eventStore: shared.node() })
    await using unit = new UnitOfWork(app, { multipleAggregates: true }).start()
    await crediting(unit)
    await crediting(unit, 'bob')
    await app.dispatch(credit)
    await expect(unit.commit()).rejects.toMatchObject({
      code: 'version_conflict',
      outcome: 'not-executed',
      streamId: 'author-ada',
      expected: 0,
      actual: 1,
    })
    expect(await app.aggregateVersion(Author, 'bob')).toBe(0)
  })
})

describe('a unit of work', () => {
  it('is in progress from its start to its end', async () => {
    const app = await started({ router: publishing })
    const unit = new UnitOfWork(app)
    expect(unit.inProgress).toBe(false)
    unit.start()
    expect(unit.inProgress).toBe(true)
    await unit.commit()
    expect(unit.inProgress).toBe(false)
  })

  it('refuses to be misused', async () => {
    const app = await started({ router: publishing })
    const misuse = { code: 'unit_of_work_misuse', outcome: 'not-executed' }
    const unit = new UnitOfWork(app)
    await expect(unit.commit()).rejects.toMatchObject(misuse)
    expect(() => unit.repository).toThrow(expect.objectContaining(misuse))
    expect(() => {
      unit.rollback()
    }).toThrow(expect.objectContaining(misuse))
    unit.start()
    expect(() => unit.start()).toThrow(expect.objectContaining(misuse))
    await unit.commit()
    await expect(unit.commit()).rejects.toMatchObject(misuse)
    expect(() => {
      unit.rollback()
    }).toThrow(expect.objectContaining(misuse))
    expect(() => {
      unit.afterCommit(() => undefined)
    }).toThrow(expect.objectContaining(misuse))
    expect(() => new UnitOfWork({ name: 'no application' })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
    expect(() => new UnitOfWork(app, { commandId: 'c' } as never)).toThrow(/commandId/)
  })

  it('leaves nothing where it is rolled back, or goes out of use without a commit', async () => {
    const app = await started({ router: publishing })
    {
      await using unit = new UnitOfWork(app).start()
      await crediting(unit)
    }
    const unit = new UnitOfWork(app).start()
    const { repository } = unit
    await crediting(unit)
    unit.rollback()
    await expect(repository.get(Author, 'ada')).rejects.toMatchObject({ code: 'unit_of_work_misuse' })
    expect(await app.aggregateVersion(Author, 'ada')).toBe(0)
    const quiet = await unitOfWork(app, async (scope) => {
      await crediting(scope)
      scope.rollback()
      return 'done'
    })
    expect(quiet).toBe('done')
    expect(await app.aggregateVersion(Author, 'ada')).toBe(0)
  })

  it('has nothing done after a commit where there is none: where it is rolled back, in whatever form', async () => {
    const done: string[] = []
    const rolledBack = async (unit: UnitOfWorkScope, form: string): Promise<void> => {
      await crediting(unit)
      unit.afterCommit(() => done.push(form))
      unit.rollback()
    }
    const handler = commandHandler(Article, {
      commands: [PublishArticle],
      handle: { PublishArticle: (_data, { unitOfWork: unit }) => rolledBack(unit, 'a handler’s') },
    })
    const app = await started({
      router: router('r', (routes) =>
        routes
          .router(authors)
          .identify(Article, { by: 'articleId', prefix: 'article-' })
          .dispatch(PublishArticle, { to: handler }),
      ),
    })
    await unitOfWork(app, (unit) => rolledBack(unit, 'a function’s'))
    await rolledBack(new UnitOfWork(app).start(), 'one by hand')
    expect((await app.dispatch(PublishArticle({ articleId: 'a1', publishedAt: 'now' }))).events).toEqual([])
    await unitOfWork(app, (unit) => unit.afterCommit(() => done.push('committed')))
    expect(done).toEqual(['committed'])
  })

  it('needs an application that runs', async () => {
    const app = await started({ router: publishing })
    await app.stop()
    await expect(unitOfWork(app, crediting)).rejects.toMatchObject({ code: 'not_running' })
    expect(() => new UnitOfWork(app).start()).toThrow(expect.objectContaining({ code: 'not_running' }))
  })

  it('is waited for by a stop until its hooks are through', async () => {
    const app = await started({ router: publishing })
    const [begun, printed] = [deferred(), deferred()]
    const ends: string[] = []
    const unit = unitOfWork(app, (here) => {
      here.afterCommit(() => {
        begun.resolve()
        return printed.promise
      })
      return crediting(here)
    }).then(() => ends.push('unit'))
    await begun.promise
    const stop = app.stop().then(() => ends.push('stop'))
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    printed.resolve()
    await Promise.all([unit, stop])
    expect(ends).toEqual(['unit', 'stop'])
  })

  it('waits for nobody itself where it joins another one', async () => {
    const app = await started({ router: publishing })
    const consistency = ['nobody']
    await unitOfWork(app, async () => {
      await unitOfWork(app, (unit) => crediting(unit), { consistency })
      await new UnitOfWork(app, { consistency }).start().commit()
    })
    expect(await app.aggregateVersion(Author, 'ada')).toBe(1)
  })

  it('fails with what its code threw, and stores nothing', async () => {
    const app = await started({ router: publishing })
    const cause = new Error('the printer burns')
    const failed = unitOfWork(app, async (unit) => {
      await crediting(unit)
      throw cause
    })
    await expect(failed).rejects.toBe(cause)
    expect(await app.aggregateVersion(Author, 'ada')).toBe(0)
  })

  it('does not begin where its consistency names nobody to be waited for', async () => {
    const app = await started({ router: publishing })
    const options = { consistency: ['nobody'] }
    const refused = { code: 'invalid_option', outcome: 'not-executed' }
    await expect(unitOfWork(app, crediting, options)).rejects.toMatchObject(refused)
    expect(() => new UnitOfWork(app, options).start()).toThrow(expect.objectContaining(refused))
    expect(await app.aggregateVersion(Author, 'ada')).toBe(0)
  })

  it('says that it is stored where its events cannot be read for the handlers that it waits for', async () => {
    const counted = eventHandler('counted', {
      events: [AuthorCredited],
      consistency: 'strong',
      handle: { AuthorCredited: () => undefined },
    })
    const unreadable = upcaster('AuthorCredited', {
      upcast: () => {
        throw new Error('cannot be told any more')
      },
    })
    const app = await started({ router: publishing, handlers: [counted], upcasters: [unreadable] })
    await expect(unitOfWork(app, (unit) => crediting(unit), { consistency: 'strong' })).rejects.toMatchObject({
      code: 'unreadable_event',
      outcome: 'executed',
      executionResult: { events: [{ type: 'AuthorCredited' }] },
    })
  })

  it('ends with its time, and its caller’s patience', async () => {
    const app = await started({ router: publishing })
    const never = deferred()
    const controller = new AbortController()
    const wait = (unit: UnitOfWorkScope) => crediting(unit).then(() => never.promise)
    const late = unitOfWork(app, wait, { timeout: 20 })
    const aborted = unitOfWork(app, wait, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(late).rejects.toMatchObject({ code: 'command_timeout', outcome: 'not-executed' })
    await expect(aborted).rejects.toMatchObject({ code: 'aborted', outcome: 'not-executed' })
    never.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await app.aggregateVersion(Author, 'ada')).toBe(0)
  })

  it('tells of a hook that fails, and stays committed', async () => {
    const logger = recordingLogger()
    const app = await started({ router: publishing, logger })
    const done: string[] = []
    await unitOfWork(app, async (unit) => {
      unit.afterCommit(() => {
        throw new Error('no mail')
      })
      unit.afterCommit(({ events, position }) => done.push(`${events.length} at ${position}`))
      await crediting(unit)
    })
    expect(done).toEqual(['1 at 1'])
    expect(logger.entries).toMatchObject([{ level: 'error', message: expect.stringContaining('no mail') as unknown }])
    expect(await app.aggregateVersion(Author, 'ada')).toBe(1)
  })

  it('is the current one for what runs in it, and mixed up with no other', async () => {
    const app = await started({ router: publishing })
    const [one, other] = [deferred(), deferred()]
    const seen = async (name: string, gate: Promise<void>) =>
      unitOfWork(app, async () => {
        currentUnitOfWork()?.afterCommit(() => names.push(name))
        await gate
        return currentUnitOfWork()?.inProgress
      })
    const names: string[] = []
    const first = seen('first', one.promise)
    const second = seen('second', other.promise)
    expect(currentUnitOfWork()).toBeUndefined()
    other.resolve()
    expect(await second).toBe(true)
    expect(names).toEqual(['second'])
    one.resolve()
    await first
    expect(names).toEqual(['second', 'first'])
    const byHand = new UnitOfWork(app).start()
    expect(currentUnitOfWork()).toBeUndefined()
    expect(byHand.run(() => currentUnitOfWork()?.inProgress)).toBe(true)
    byHand.rollback()
  })

  it('is that of the command handler that runs, for whatever that calls', async () => {
    const seen: unknown[] = []
    const handler = commandHandler(Article, {
      commands: [PublishArticle],
      handle: {
        async PublishArticle({ articleId }, { repository }) {
          const article = await repository.create(Article, articleId)
          article.raise(ArticleWritten({ articleId, authorId: 'ada' }))
          repository.add(article)
          currentUnitOfWork()?.afterCommit(({ events }) => seen.push(events.length, currentUnitOfWork()))
        },
      },
    })
    const app = await started({
      router: router('r', (routes) =>
        routes.identify(Article, { by: 'articleId' }).dispatch(PublishArticle, { to: handler }),
      ),
    })
    await app.dispatch(PublishArticle({ articleId: 'a1', publishedAt: 'now' }))
    expect(seen).toEqual([1, undefined])
  })
})

describe('a unit of work within another one', () => {
  it('joins it: one commit stores all of it, with the hooks of both', async () => {
    const app = await started({ router: publishing })
    const order: string[] = []
    await unitOfWork(app, async (outer) => {
      outer.afterCommit(() => order.push('outer'))
      await unitOfWork(app, async (inner) => {
        inner.afterCommit(() => order.push('inner'))
        await crediting(inner)
      })
      const byHand = new UnitOfWork(app).start()
      await crediting(byHand)
      expect(await byHand.commit()).toEqual({ events: [], position: 0 })
      expect(await app.aggregateVersion(Author, 'ada')).toBe(0)
    })
    expect(order).toEqual(['outer', 'inner'])
    expect(await app.aggregateVersion(Author, 'ada')).toBe(2)
  })

  it('makes it fail where it failed itself, also where that is caught', async () => {
    const app = await started({ router: publishing })
    const cause = new Error('half done')
    const outer = unitOfWork(app, async (unit) => {
      await crediting(unit)
      await unitOfWork(app, () => {
        throw cause
      }).catch(() => undefined)
    })
    await expect(outer).rejects.toMatchObject({ code: 'unit_rolled_back', outcome: 'not-executed', cause })
    expect(await app.aggregateVersion(Author, 'ada')).toBe(0)
  })

  it('makes it fail where it was rolled back', async () => {
    const app = await started({ router: publishing })
    const outer = unitOfWork(app, async (unit) => {
      await crediting(unit)
      new UnitOfWork(app).start().rollback()
    })
    await expect(outer).rejects.toMatchObject({ code: 'unit_rolled_back' })
    expect(await app.aggregateVersion(Author, 'ada')).toBe(0)
  })

  it('is refused where it is said to be another tenant’s, rather than to write for the tenant of the outer one', async () => {
    const app = await started({ router: publishing })
    const misuse = { code: 'unit_of_work_misuse', outcome: 'not-executed' }
    await unitOfWork(
      app,
      async () => {
        await unitOfWork(app, (unit) => crediting(unit), { tenant: 'acme' })
        const other = { tenant: 'initech' }
        await expect(unitOfWork(app, (unit) => crediting(unit), other)).rejects.toMatchObject(misuse)
        expect(() => new UnitOfWork(app, other).start()).toThrow(expect.objectContaining(misuse))
      },
      { tenant: 'acme' },
    )
    expect(await app.aggregateVersion(Author, 'ada', { tenant: 'acme' })).toBe(1)
    expect(await app.aggregateVersion(Author, 'ada', { tenant: 'initech' })).toBe(0)
  })

  it('stays by itself where it is another application’s', async () => {
    const [app, other] = [await started({ router: publishing }), await started({ router: publishing })]
    const outer = unitOfWork(app, async () => {
      await unitOfWork(other, crediting)
      throw new Error('no more')
    })
    await expect(outer).rejects.toThrow('no more')
    expect(await other.aggregateVersion(Author, 'ada')).toBe(1)
  })

  it('is none where a command is dispatched: that answers for itself', async () => {
    const app = await started({ router: publishing })
    const outer = unitOfWork(app, async (unit) => {
      await app.dispatch(credit)
      unit.rollback()
    })
    await outer
    expect(await app.aggregateVersion(Author, 'ada')).toBe(1)
  })
})
