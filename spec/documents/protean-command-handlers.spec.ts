import { describe, expect, it } from '@jest/globals'
import {
  application,
  commandHandler,
  currentUnitOfWork,
  eventHandler,
  router,
  unitOfWork,
  type DataOf,
  type EventStore,
  type Router,
  type UnitHandlerContext,
} from 'edict'
import { until } from '../support/counter.ts'
import { Article, ArticlePublished, PublishArticle, WriteArticle, documentedStores } from './publishing.ts'

// Protean's document on command handlers (seeds/001), heading by heading and in its order.

const publish = (articleId = '1') => PublishArticle({ articleId, publishedAt: new Date(0) })
const write = (articleId = '1') => WriteArticle({ articleId, title: `No. ${articleId}` })

/** What the document's handler does. */
const articleHandler = commandHandler(Article, {
  commands: [WriteArticle, PublishArticle],
  handle: {
    WriteArticle: async (data, { repository }) => {
      const article = await repository.create(Article, data.articleId)
      article.execute(WriteArticle(data))
      repository.add(article)
    },
    PublishArticle: async (data, { repository }) => {
      const article = await repository.get(Article, data.articleId)
      article.execute(PublishArticle(data))
      repository.add(article)
      return article.state.status
    },
  },
})

const publishing = router('publishing', (to) =>
  to
    .identify(Article, { by: 'articleId', prefix: 'article-' })
    .dispatch([WriteArticle, PublishArticle], { to: articleHandler }),
)

type Publish = (data: DataOf<typeof PublishArticle>, context: UnitHandlerContext) => unknown

/** Articles are written as ever, and published in another way. */
function publishingBy(publishArticle: Publish) {
  return router('publishing', (to) =>
    to
      .identify(Article, { by: 'articleId', prefix: 'article-' })
      .dispatch(WriteArticle, { to: Article })
      .dispatch(PublishArticle, {
        to: commandHandler(Article, { commands: [PublishArticle], handle: { PublishArticle: publishArticle } }),
      }),
  )
}

const started = <Routes>(routes: Router<Routes>, eventStore: EventStore) =>
  application({ name: 'publishing', router: routes, eventStore }).start()

describe.each(documentedStores)("Protean's command handlers, on $kind:", ({ share }) => {
  const stores = share()

  describe('Command handlers, and key facts', () => {
    it('a handler executes commands and persists what comes of them, by way of aggregates that uphold the rules', async () => {
      const eventStore = stores.node()
      await using app = await started(publishing, eventStore)
      await app.dispatch(write())
      await app.dispatch(publish())
      await expect(app.dispatch(publish())).rejects.toMatchObject({ code: 'already_published' })
      expect(await eventStore.headPosition()).toBe(2)
    })

    it('a handler takes out of the command what the aggregate needs', async () => {
      await using app = await started(
        publishingBy(async ({ articleId, publishedAt }, { repository }) => {
          const article = await repository.get(Article, articleId)
          article.raise(ArticlePublished({ articleId, publishedAt }))
          repository.add(article)
        }),
        stores.node(),
      )
      await app.dispatch(write())
      const { events } = await app.dispatch(publish())
      expect(events.map(({ data }) => data)).toEqual([{ articleId: '1', publishedAt: new Date(0) }])
    })

    it('a handler loads aggregates, and persists them', async () => {
      await using app = await started(publishing, stores.node())
      await app.dispatch(write())
      await app.dispatch(publish())
      expect(await app.aggregateState(Article, '1')).toMatchObject({ title: 'No. 1', status: 'published' })
    })

    it('a handler may load several aggregates, and persists one', async () => {
      await using app = await started(
        publishingBy(async (data, { repository }) => {
          const before = await repository.get(Article, '1')
          const article = await repository.get(Article, data.articleId)
          if (before.state.status === 'published') article.execute(PublishArticle(data))
          repository.add(article)
        }),
        stores.node(),
      )
      for (const id of ['1', '2']) await app.dispatch(write(id))
      expect((await app.dispatch(publish('2'))).events).toEqual([])
    })

    it('a handler that persists a second aggregate is refused, with both named, and the way out', async () => {
      const eventStore = stores.node()
      await using app = await started(
        publishingBy(async (data, { repository }) => {
          for (const id of ['1', '2']) {
            const article = await repository.get(Article, id)
            article.execute(PublishArticle({ ...data, articleId: id }))
            repository.add(article)
          }
        }),
        eventStore,
      )
      for (const id of ['1', '2']) await app.dispatch(write(id))
      await expect(app.dispatch(publish())).rejects.toMatchObject({
        code: 'several_aggregates',
        outcome: 'not-executed',
        message: expect.stringMatching(/article-1.*article-2.*events/),
      })
      expect(await eventStore.headPosition()).toBe(2)
    })

    it('other aggregates follow in the end, by way of events', async () => {
      const next = eventHandler('next', {
        events: [ArticlePublished],
        handle: async ({ articleId }, { eventId }, { dispatch }) => {
          if (articleId === '1') await dispatch(publish('2'), { commandId: `next-${eventId}` })
        },
      })
      await using app = await application({
        name: 'publishing',
        router: publishing,
        eventStore: stores.node(),
        handlers: [next],
      }).start()
      for (const id of ['1', '2']) await app.dispatch(write(id))
      await app.dispatch(publish('1'))
      await until(
        async () => (await app.aggregateState(Article, '2')).status === 'published',
        'the other one following',
      )
    })
  })

  describe('Defining a command handler', () => {
    it('a handler belongs to an aggregate, and has a function for each of its commands', async () => {
      await using app = await started(publishing, stores.node())
      expect((await app.dispatch(write())).events.map(({ type }) => type)).toEqual(['ArticleWritten'])
      expect((await app.dispatch(publish())).events.map(({ type }) => type)).toEqual(['ArticlePublished'])
      const lacking: object = { commands: [WriteArticle, PublishArticle], handle: {} }
      expect(() => commandHandler(Article, lacking as never)).toThrow('WriteArticle')
    })
  })

  describe('Workflow', () => {
    it('the application gives the command to its handler', async () => {
      const given: unknown[] = []
      await using app = await started(
        publishingBy((data) => Promise.resolve(void given.push(data))),
        stores.node(),
      )
      await app.dispatch(publish())
      expect(given).toEqual([{ articleId: '1', publishedAt: new Date(0) }])
    })

    it('the handler loads the aggregate, as it is now', async () => {
      const loaded: unknown[] = []
      await using app = await started(
        publishingBy(async ({ articleId }, { repository }) => {
          const { id, version, state } = await repository.get(Article, articleId)
          loaded.push({ id, version, title: state.title })
        }),
        stores.node(),
      )
      await app.dispatch(write())
      await app.dispatch(publish())
      expect(loaded).toEqual([{ id: '1', version: 1, title: 'No. 1' }])
    })

    it('an aggregate that is not there is an error', async () => {
      await using app = await started(publishing, stores.node())
      await expect(app.dispatch(publish('nobody'))).rejects.toMatchObject({ code: 'aggregate_not_found' })
    })

    it('the aggregate changes by its own rules, and the handler sees what became of it', async () => {
      const seen: unknown[] = []
      await using app = await started(
        publishingBy(async (data, { repository }) => {
          const article = await repository.get(Article, data.articleId)
          const events = article.execute(PublishArticle(data))
          seen.push(
            events.map(({ type }) => type),
            article.state.status,
          )
          expect(() => article.execute(PublishArticle(data))).toThrow('already_published')
          repository.add(article)
        }),
        stores.node(),
      )
      await app.dispatch(write())
      await app.dispatch(publish())
      expect(seen).toEqual([['ArticlePublished'], 'published'])
    })

    it('what the handler answers comes back to whoever waits for the command', async () => {
      await using app = await started(publishing, stores.node())
      await app.dispatch(write())
      expect((await app.dispatch(publish())).reply).toBe('published')
    })

    it('the handler persists the aggregate: then it is stored, and everybody sees it', async () => {
      const eventStore = stores.node()
      await using app = await started(publishing, eventStore)
      await app.dispatch(write())
      const { position } = await app.dispatch(publish())
      expect([position, await eventStore.headPosition()]).toEqual([2, 2])
      expect((await app.aggregateState(Article, '1')).publishedAt).toEqual(new Date(0))
    })
  })

  describe('Unit of work', () => {
    it('a handler runs in a unit of work, without saying so', async () => {
      const units: unknown[] = []
      await using app = await started(
        publishingBy(async () => {
          await Promise.resolve()
          units.push(currentUnitOfWork()?.inProgress)
        }),
        stores.node(),
      )
      await app.dispatch(publish())
      expect([units, currentUnitOfWork()]).toEqual([[true], undefined])
    })

    it('all that a handler changes is stored as one, or not at all', async () => {
      const eventStore = stores.node()
      await using app = await started(
        publishingBy(async (data, { repository }) => {
          const article = await repository.create(Article, data.articleId)
          article.execute(WriteArticle({ articleId: data.articleId, title: 'Now' }))
          article.execute(PublishArticle(data))
          if (data.articleId === 'twice') article.execute(PublishArticle(data))
          repository.add(article)
        }),
        eventStore,
      )
      let appends = 0
      app.on('append:stop', () => appends++)
      expect((await app.dispatch(publish())).events.map(({ type }) => type)).toEqual([
        'ArticleWritten',
        'ArticlePublished',
      ])
      await expect(app.dispatch(publish('twice'))).rejects.toMatchObject({ code: 'already_published' })
      expect([appends, await eventStore.headPosition()]).toEqual([1, 2])
    })

    it('where an error occurs, everything is rolled back: nothing is stored in part', async () => {
      const eventStore = stores.node()
      await using app = await started(
        publishingBy(async (data, { repository }) => {
          const article = await repository.get(Article, data.articleId)
          article.execute(PublishArticle(data))
          repository.add(article)
          throw new Error('too late')
        }),
        eventStore,
      )
      await app.dispatch(write())
      await expect(app.dispatch(publish())).rejects.toMatchObject({ code: 'command_failed', outcome: 'not-executed' })
      expect(await eventStore.headPosition()).toBe(1)
      expect((await app.aggregateState(Article, '1')).status).toBe('draft')
    })

    it('a handler that begins a unit by itself does the same as one that does not', async () => {
      const eventStore = stores.node()
      const app = application({
        name: 'publishing',
        router: publishingBy(async (data, { repository }) => {
          await unitOfWork(app, async () => {
            const article = await repository.get(Article, data.articleId)
            article.execute(PublishArticle(data))
            repository.add(article)
          })
        }),
        eventStore,
      })
      await using running = await app.start()
      await running.dispatch(write())
      await running.dispatch(publish())
      expect((await running.aggregateState(Article, '1')).status).toBe('published')
      expect(await eventStore.headPosition()).toBe(2)
    })
  })
})
