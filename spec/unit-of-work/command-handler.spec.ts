import { describe, expect, it } from '@jest/globals'
import {
  AggregateNotFoundError,
  commandHandler,
  currentUnitOfWork,
  eventHandler,
  reply,
  router,
  synchronously,
  unitOfWork,
  type UnitHandlerContext,
} from 'edict'
import { testClock } from 'edict/testing'
import { deferred, started, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import {
  Article,
  articleHandler,
  ArticlePublished,
  Author,
  AuthorCredited,
  CreditAuthor,
  publishing,
  PUBLISHED_AT,
  PublishArticle,
  WriteArticle,
} from './publishing.ts'

const write = (articleId = 'a1') => WriteArticle({ articleId, authorId: 'ada' })
const publish = (articleId = 'a1') => PublishArticle({ articleId, publishedAt: PUBLISHED_AT })

/** A router whose PublishArticle does what a spec says. */
function publishingBy(
  work: (articleId: string, context: UnitHandlerContext) => unknown,
  { multipleAggregates = false } = {},
) {
  const handler = commandHandler(Article, {
    commands: [PublishArticle],
    multipleAggregates,
    handle: { PublishArticle: ({ articleId }, context) => work(articleId, context) },
  })
  return router('publishing', (routes) =>
    routes
      .identify(Article, { by: 'articleId', prefix: 'article-' })
      .identify(Author, { by: 'authorId', prefix: 'author-' })
      .dispatch(WriteArticle, { to: articleHandler })
      .dispatch(PublishArticle, { to: handler })
      .dispatch(CreditAuthor, { to: Author }),
  )
}

describe.each(everyStore)('a command handler, in $kind', ({ share }) => {
  const shared = share()

  it('loads its aggregate, has it decide, and persists it', async () => {
    const app = await started({ router: publishing, eventStore: shared.node() })
    const written = await app.dispatch(write())
    expect(written).toMatchObject({
      aggregateId: 'a1',
      streamId: 'article-a1',
      aggregateVersion: 1,
      aggregateState: { status: 'DRAFT' },
      reply: { version: 1 },
    })
    const published = await app.dispatch(publish(), { metadata: { by: 'ada' } })
    expect(published).toMatchObject({ aggregateVersion: 2, aggregateState: { status: 'PUBLISHED' }, reply: undefined })
    expect(published.events).toMatchObject([
      {
        type: 'ArticlePublished',
        data: { articleId: 'a1', publishedAt: PUBLISHED_AT },
        streamVersion: 2,
        position: 2,
        metadata: { by: 'ada' },
      },
    ])
    expect(await app.aggregateState(Article, 'a1')).toEqual({ status: 'PUBLISHED', authorId: 'ada' })
  })

  it('answers a command that committed before with the first result, and runs nothing', async () => {
    let runs = 0
    const handled = publishingBy(
      async (articleId, { repository }) => {
        runs++
        const article = await repository.get(Article, articleId)
        const author = await repository.create(Author, article.state.authorId)
        author.raise(AuthorCredited({ authorId: author.id }))
        article.raise(ArticlePublished({ articleId, publishedAt: PUBLISHED_AT }))
        repository.add(article)
        repository.add(author)
      },
      { multipleAggregates: true },
    )
    const app = await started({ router: handled, eventStore: shared.node() })
    await app.dispatch(write())
    const first = await app.dispatch(publish(), { commandId: 'publish-1' })
    await app.dispatch(CreditAuthor({ authorId: 'ada' }))
    const again = await app.dispatch(publish(), { commandId: 'publish-1' })
    expect(runs).toBe(1)
    expect(again.events).toEqual(first.events)
    expect(again).toMatchObject({ aggregateVersion: 2, aggregateState: { status: 'PUBLISHED' } })
    const other = PublishArticle({ articleId: 'a1', publishedAt: 'later' })
    await expect(app.dispatch(other, { commandId: 'publish-1' })).rejects.toMatchObject({ code: 'duplicate_command' })
  })

  it('finds a command that committed before in a stream that is not that of its identity', async () => {
    let runs = 0
    const handled = publishingBy(async (_articleId, { repository }) => {
      runs++
      const author = (await repository.find(Author, 'ada')) ?? (await repository.create(Author, 'ada'))
      author.raise(AuthorCredited({ authorId: 'ada' }))
      repository.add(author)
    })
    const app = await started({ router: handled, eventStore: shared.node() })
    const first = await app.dispatch(publish(), { commandId: 'c1' })
    expect(first).toMatchObject({ aggregateId: 'a1', aggregateVersion: 0, events: [{ streamId: 'author-ada' }] })
    expect(await app.dispatch(publish(), { commandId: 'c1' })).toEqual({ ...first, events: first.events })
    // Also where the handler does not run any more, which would load it.
    const deadline = Date.now() - 1
    const late = await app.dispatch(publish(), { commandId: 'c1', deadline })
    expect({ ...late }).toEqual({ ...first, events: first.events })
    await expect(app.dispatch(publish(), { commandId: 'c2', deadline })).rejects.toMatchObject({
      code: 'deadline_exceeded',
      outcome: 'not-executed',
    })
    expect(await app.aggregateVersion(Author, 'ada')).toBe(1)
    expect(runs).toBe(2)
  })

  it('is run again from the start where another node wrote to an aggregate that it persists', async () => {
    const [entered, go] = [deferred(), deferred()]
    const seen: number[] = []
    const handled = publishingBy(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      seen.push(article.version)
      entered.resolve()
      if (seen.length === 1) await go.promise
      article.raise(ArticlePublished({ articleId, publishedAt: PUBLISHED_AT }))
      repository.add(article)
    })
    const app = await started({ router: handled, eventStore: shared.node() })
    const other = await started({ router: publishing, eventStore: shared.node() })
    await app.dispatch(write())
    const dispatched = app.dispatch(publish())
    await entered.promise
    await other.dispatch(publish())
    go.resolve()
    expect((await dispatched).aggregateVersion).toBe(3)
    expect(seen).toEqual([1, 2])
  })

  it('stores several aggregates where that is allowed, in the order in which they were loaded', async () => {
    const handled = publishingBy(
      async (articleId, { repository }) => {
        const author = await repository.create(Author, 'ada')
        const article = await repository.get(Article, articleId)
        article.raise(ArticlePublished({ articleId, publishedAt: PUBLISHED_AT }))
        author.execute(CreditAuthor({ authorId: 'ada' }))
        author.raise([AuthorCredited({ authorId: 'ada' })])
        repository.add(article)
        repository.add(author)
      },
      { multipleAggregates: true },
    )
    const app = await started({ router: handled, eventStore: shared.node() })
    await app.dispatch(write())
    const { events, position, aggregateVersion } = await app.dispatch(publish())
    expect(events.map(({ streamId, streamVersion }) => [streamId, streamVersion])).toEqual([
      ['author-ada', 1],
      ['author-ada', 2],
      ['article-a1', 2],
    ])
    expect(events.map((event) => event.position)).toEqual([2, 3, 4])
    expect({ position, aggregateVersion }).toEqual({ position: 4, aggregateVersion: 2 })
    expect(await app.aggregateState(Author, 'ada')).toEqual({ articles: 2 })
  })

  it('loses no update where many units meet over shared aggregates, from two nodes', async () => {
    const handled = publishingBy(
      async (articleId, { repository }) => {
        const [one, other] = articleId < 'b' ? ['x', 'y'] : ['y', 'x']
        for (const authorId of [one, other]) {
          const author = (await repository.find(Author, authorId)) ?? (await repository.create(Author, authorId))
          author.execute(CreditAuthor({ authorId }))
          repository.add(author)
        }
      },
      { multipleAggregates: true },
    )
    const defaults = { retryAttempts: 1_000, timeout: 120_000 }
    const [app, other] = [
      await started({ router: handled, eventStore: shared.node(), defaults }),
      await started({ router: handled, eventStore: shared.node(), defaults }),
    ]
    const all = Array.from({ length: 12 }, (_, index) => {
      const node = index % 3 === 0 ? other : app
      return node.dispatch(publish(`${index % 2 === 0 ? 'a' : 'b'}${index}`))
    })
    await Promise.all(all)
    for (const authorId of ['x', 'y']) {
      expect(await app.aggregateState(Author, authorId)).toEqual({ articles: 12 })
      expect(await other.aggregateVersion(Author, authorId)).toBe(12)
    }
  }, 180_000)
})

describe('a command handler', () => {
  const works = async (work: Parameters<typeof publishingBy>[0], options?: Parameters<typeof publishingBy>[1]) => {
    const app = await started({ router: publishingBy(work, options) })
    await app.dispatch(write())
    return app
  }
  const raised = ArticlePublished({ articleId: 'a1', publishedAt: PUBLISHED_AT })

  it('passes on the rejection of an aggregate, and stores nothing', async () => {
    const app = await started({ router: publishing })
    await app.dispatch(write())
    await app.dispatch(publish())
    const outcome = await app.tryDispatch(publish())
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'not_a_draft', details: { status: 'PUBLISHED' }, outcome: 'not-executed' },
    })
    expect(await app.aggregateVersion(Article, 'a1')).toBe(2)
  })

  it('says which aggregate it has not found, or found to be there', async () => {
    const app = await started({ router: publishing })
    const outcome = await app.tryDispatch(publish('nobody'))
    if (outcome.ok) throw new Error('there is no such article')
    expect(outcome.error).toBeInstanceOf(AggregateNotFoundError)
    expect(outcome.error).toMatchObject({ aggregate: 'Article', aggregateId: 'nobody', outcome: 'not-executed' })
    await app.dispatch(write())
    await expect(app.dispatch(write())).rejects.toMatchObject({ code: 'aggregate_exists', aggregateId: 'a1' })
  })

  it('refuses to persist a second aggregate, and says the way out', async () => {
    const app = await works(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      const author = await repository.create(Author, 'ada')
      article.raise(raised)
      author.raise(AuthorCredited({ authorId: 'ada' }))
      repository.add(article)
      repository.add(author)
    })
    await expect(app.dispatch(publish())).rejects.toMatchObject({
      code: 'several_aggregates',
      streamIds: ['article-a1', 'author-ada'],
      message: expect.stringMatching(/article-a1 and author-ada.*event handler/) as unknown,
    })
    expect(await app.aggregateVersion(Article, 'a1')).toBe(1)
  })

  it('refuses it at the commit, too, where the change came after the add', async () => {
    const app = await works(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      const author = await repository.create(Author, 'ada')
      repository.add(article)
      repository.add(author)
      article.raise(raised)
      author.raise(AuthorCredited({ authorId: 'ada' }))
    })
    await expect(app.dispatch(publish())).rejects.toMatchObject({ code: 'several_aggregates' })
    expect(await app.aggregateVersion(Article, 'a1')).toBe(1)
  })

  it('fails where it changed an aggregate that it never added', async () => {
    const app = await works(async (articleId, { repository }) => {
      ;(await repository.get(Article, articleId)).raise(raised)
    })
    await expect(app.dispatch(publish())).rejects.toMatchObject({
      code: 'aggregate_not_added',
      streamIds: ['article-a1'],
      outcome: 'not-executed',
    })
  })

  it('fails with what it threw as the cause, and stores nothing', async () => {
    const cause = new Error('the printer burns')
    const app = await works(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      article.raise(raised)
      repository.add(article)
      throw cause
    })
    await expect(app.dispatch(publish())).rejects.toMatchObject({ code: 'command_failed', cause })
    expect(await app.aggregateVersion(Article, 'a1')).toBe(1)
  })

  it('may only read, and then stores nothing', async () => {
    const app = await works(async (articleId, { repository }) => (await repository.get(Article, articleId)).state)
    expect(await app.dispatch(publish())).toMatchObject({
      events: [],
      aggregateVersion: 1,
      reply: { status: 'DRAFT', authorId: 'ada' },
    })
  })

  it('gets the same root each time, and sees in it what has happened so far', async () => {
    const app = await works(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      article.raise(raised)
      const again = await repository.get(Article, articleId)
      return [again === article, again.version, again.isNew, again.state.status, Object.isFrozen(again.state)]
    })
    await expect(app.dispatch(publish())).rejects.toMatchObject({ code: 'aggregate_not_added' })
    const reading = await works(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      article.raise(raised)
      repository.add(article)
      const again = await repository.get(Article, articleId)
      return [again === article, again.version, again.isNew, again.state.status, Object.isFrozen(again.state)]
    })
    expect((await reading.dispatch(publish())).reply).toEqual([true, 2, false, 'PUBLISHED', true])
  })

  it('refuses what is no event of the aggregate, and what another repository gave', async () => {
    const app = await works(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      article.raise(AuthorCredited({ authorId: 'ada' }) as never)
    })
    await expect(app.dispatch(publish())).rejects.toMatchObject({ code: 'invalid_outcome' })
    const adding = await works((_articleId, { repository }) => {
      repository.add({ id: 'a1' } as never)
    })
    await expect(adding.dispatch(publish())).rejects.toMatchObject({ code: 'unit_of_work_misuse' })
  })

  it('may return what its aggregates have raised, and no event that would be lost', async () => {
    const app = await works(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      repository.add(article)
      return article.execute(publish())
    })
    expect((await app.dispatch(publish())).reply).toMatchObject([{ type: 'ArticlePublished' }])
    for (const lost of [raised, [raised], reply('done', raised)]) {
      const losing = await works(() => lost)
      await expect(losing.dispatch(publish())).rejects.toMatchObject({ code: 'invalid_outcome' })
    }
  })

  it('can do nothing more once it is done', async () => {
    let kept: UnitHandlerContext | undefined
    const app = await works(async (articleId, context) => {
      kept = context
      await context.repository.get(Article, articleId)
    })
    await app.dispatch(publish())
    expect(kept?.unitOfWork.inProgress).toBe(false)
    await expect(kept?.repository.get(Article, 'a1')).rejects.toMatchObject({ code: 'unit_of_work_misuse' })
  })

  it('takes its turn behind the other commands of its aggregate', async () => {
    const order: string[] = []
    const app = await works(async (articleId, { repository, metadata }) => {
      order.push(`begin ${String(metadata['n'])}`)
      const article = await repository.get(Article, articleId)
      article.raise(raised)
      repository.add(article)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`end ${String(metadata['n'])}`)
    })
    await Promise.all([1, 2].map((n) => app.dispatch(publish(), { metadata: { n } })))
    expect(order).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2'])
  })

  it('is refused where it dispatches to its own aggregate', async () => {
    const app = await works(async () => {
      await app.dispatch(PublishArticle({ articleId: 'a1', publishedAt: 'now' }))
    })
    await expect(app.dispatch(publish())).rejects.toMatchObject({
      code: 'command_failed',
      cause: { code: 'reentrant_dispatch' },
    })
  })

  it('is refused where it dispatches to an aggregate that it has loaded, before anything is stored, also by another handler', async () => {
    const refused: unknown[] = []
    let runs = 0
    const credit = (authorId: string) => app.dispatch(CreditAuthor({ authorId }))
    const text = 'CreditAuthor was to change author-ada from within a unit of work that has loaded it'
    const refusal = { code: 'reentrant_dispatch', outcome: 'not-executed', message: expect.stringContaining(text) }
    const app = await works(
      async (_articleId, { repository }) => {
        runs++
        // Nobody has loaded it yet.
        if (runs === 1) await credit('ada')
        const ada = await repository.get(Author, 'ada')
        await credit('ada').catch((error: unknown) => refused.push(error))
        await unitOfWork(app, () => credit('ada')).catch((error: unknown) => refused.push(error))
        await credit('bob')
        ada.raise(AuthorCredited({ authorId: 'ada' }))
        repository.add(ada)
      },
      { multipleAggregates: true },
    )
    await expect(app.dispatch(publish())).rejects.toMatchObject({ code: 'unit_rolled_back' })
    expect([runs, refused]).toMatchObject([1, [refusal, refusal]])
    expect(await app.aggregateVersion(Author, 'ada')).toBe(1)
    expect(await app.aggregateVersion(Author, 'bob')).toBe(1)
    // Nobody is in its way any more.
    await credit('ada')
    expect(await app.aggregateVersion(Author, 'ada')).toBe(2)
  })

  it('may dispatch to what it has loaded when it has committed', async () => {
    const app = await works(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      const ada = await repository.find(Author, 'ada')
      expect(ada).toBeUndefined()
      article.raise(raised)
      repository.add(article)
      currentUnitOfWork()?.afterCommit(() => app.dispatch(CreditAuthor({ authorId: 'ada' })))
    })
    await app.dispatch(publish())
    expect(await app.aggregateVersion(Author, 'ada')).toBe(1)
  })

  it('stores nothing where it runs out of time', async () => {
    const never = deferred()
    let kept: AbortSignal | undefined
    const clock = testClock()
    const out = publishingBy(async (articleId, { repository, signal }) => {
      kept = signal
      const article = await repository.get(Article, articleId)
      article.raise(raised)
      repository.add(article)
      await never.promise
    })
    const app = await started({ router: out, clock })
    await app.dispatch(write())
    const dispatched = app.dispatch(publish(), { timeout: 20 }).catch((error: unknown) => error)
    await until(() => kept !== undefined, 'the handler')
    await clock.advance(20)
    expect(await dispatched).toMatchObject({ code: 'command_timeout', outcome: 'not-executed' })
    expect(kept?.aborted).toBe(true)
    never.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await app.aggregateVersion(Article, 'a1')).toBe(1)
    expect((await app.dispatch(write('a2'))).aggregateVersion).toBe(1)
  })

  it('ends with the conflict where it has no more attempts', async () => {
    const loaded = deferred()
    const app = await works(async (articleId, { repository }) => {
      const article = await repository.get(Article, articleId)
      const author = await repository.create(Author, 'ada')
      loaded.resolve()
      await credited
      author.raise(AuthorCredited({ authorId: 'ada' }))
      repository.add(author)
      return article.version
    })
    const credited = loaded.promise.then(() => app.dispatch(CreditAuthor({ authorId: 'ada' })))
    await expect(app.dispatch(publish(), { retryAttempts: 0 })).rejects.toMatchObject({
      code: 'version_conflict',
      streamId: 'author-ada',
      expected: 0,
      actual: 1,
      outcome: 'not-executed',
    })
  })

  it('says that it is stored where a handler that it waits for is behind', async () => {
    const never = deferred()
    const slow = eventHandler('slow', {
      events: [AuthorCredited],
      consistency: 'strong',
      handle: { AuthorCredited: () => never.promise },
    })
    const credits = publishingBy(async (_articleId, { repository }) => {
      const author = await repository.create(Author, 'ada')
      author.raise(AuthorCredited({ authorId: 'ada' }))
      repository.add(author)
    })
    const app = await started({ router: credits, handlers: [slow] })
    const dispatched = app.dispatch(publish(), { consistency: 'strong', consistencyTimeout: 20 })
    await expect(dispatched).rejects.toMatchObject({
      code: 'consistency_timeout',
      outcome: 'executed',
      laggards: ['slow'],
      executionResult: { events: [{ type: 'AuthorCredited' }] },
    })
    never.resolve()
  })

  it('is answered after the handlers of its synchronous events, as is a unit by hand', async () => {
    const handled: string[] = []
    const slow = eventHandler('slow', {
      events: [AuthorCredited],
      handle: async ({ authorId }) => {
        await new Promise((resolve) => setTimeout(resolve, 10))
        handled.push(authorId)
      },
    })
    const crediting = async ({ repository }: Pick<UnitHandlerContext, 'repository'>, authorId: string) => {
      const author = await repository.create(Author, authorId)
      author.raise(synchronously(AuthorCredited({ authorId })))
      repository.add(author)
    }
    const app = await started({
      router: publishingBy((articleId, context) => crediting(context, articleId)),
      handlers: [slow],
    })
    await app.dispatch(publish('ada'))
    expect(handled).toEqual(['ada'])
    await unitOfWork(app, (unit) => crediting(unit, 'bob'))
    expect(handled).toEqual(['ada', 'bob'])
  })

  it('can be asked to find its aggregate at a version', async () => {
    const app = await started({ router: publishing })
    await app.dispatch(write())
    await expect(app.dispatch(publish(), { expectedVersion: 7 })).rejects.toMatchObject({ code: 'version_conflict' })
    expect((await app.dispatch(publish(), { expectedVersion: 1 })).aggregateVersion).toBe(2)
  })

  it('is defined with a function for each of its commands, and takes no others', () => {
    const handler = () =>
      commandHandler(Article, { commands: [PublishArticle], handle: { WriteArticle: () => undefined } as never })
    expect(handler).toThrow(/has no function for PublishArticle/)
    expect(() => commandHandler({} as never, { commands: [PublishArticle], handle: {} as never })).toThrow(
      /needs an aggregate/,
    )
    expect(() =>
      router('r', (routes) =>
        routes
          .identify(Article, { by: 'articleId' })
          .dispatch(CreditAuthor, { to: articleHandler, identity: 'authorId' } as never),
      ),
    ).toThrow(/CreditAuthor is not among the commands of the command handler of Article/)
  })
})
