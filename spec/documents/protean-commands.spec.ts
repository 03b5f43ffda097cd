import { describe, expect, it } from '@jest/globals'
import {
  application,
  asynchronously,
  command,
  compositeRouter,
  eventHandler,
  reply,
  router,
  shape,
  unitOfWork,
  type CommandReceipt,
} from 'edict'
import { deferred, recordingLogger, until } from '../support/counter.ts'
import {
  AnnounceArticle,
  Article,
  ArticleAnnounced,
  ArticlePublished,
  PublishArticle,
  WriteArticle,
  documentedStores,
  frontPage,
  publishingRouter,
} from './publishing.ts'

// Protean's document on commands (seeds/000), heading by heading and in its order: what it says happens, and what happens here.

const name = 'publishing'
const publish = (articleId = '1') => PublishArticle({ articleId })

/** A router that says which articles were published, each time that one is. */
function counting() {
  const runs: string[] = []
  const counted = router('counted', (to) =>
    to.identify(Article, { by: 'articleId', prefix: 'article-' }).dispatch(PublishArticle, {
      aggregate: Article,
      to: (_article, data) => {
        runs.push(data.articleId)
        return ArticlePublished(data)
      },
    }),
  )
  return { runs, counted }
}

describe.each(documentedStores)("Protean's commands, on $kind:", ({ share }) => {
  const stores = share()

  describe('Commands, and key facts', () => {
    it('a command holds the intent and its data, and nothing else', () => {
      const publishedAt = new Date(0)
      const { type, data } = PublishArticle({ articleId: '1', publishedAt })
      expect({ type, data }).toEqual({ type: 'PublishArticle', data: { articleId: '1', publishedAt } })
      expect(Object.keys(publish())).toEqual(['type', 'data'])
    })

    it('a command is processed by the handler that upholds the rules', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      await app.process(publish())
      await expect(app.process(publish())).rejects.toMatchObject({ code: 'already_published' })
    })

    it('a command is unique throughout the domain: a second definition of it is refused', () => {
      const again = command('PublishArticle', shape<{ articleId: string }>())
      const other = router('other', (to) =>
        to.identify(Article, { by: 'articleId', prefix: 'article-' }).dispatch(again as never, { to: Article }),
      )
      expect(() => compositeRouter(publishingRouter, other)).toThrow('PublishArticle')
    })

    it('an aggregate is the way in for every change', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      await app.process(WriteArticle({ articleId: '1', title: 'One' }))
      expect(await app.aggregateState(Article, '1')).toMatchObject({ title: 'One', status: 'draft' })
    })

    it('a concept that spans aggregates is one aggregate’s command, whose events make the rest consistent in the end', async () => {
      const sequel = eventHandler('sequel', {
        events: [ArticlePublished],
        handle: async ({ articleId }, { eventId }, { dispatch }) => {
          if (articleId !== '1') return
          await dispatch(WriteArticle({ articleId: '2', title: 'Two' }), { commandId: `sequel-${eventId}` })
        },
      })
      await using app = await application({
        name,
        router: publishingRouter,
        eventStore: stores.node(),
        handlers: [sequel],
      }).start()
      await app.process(publish())
      await until(async () => (await app.aggregateVersion(Article, '2')) === 1, 'the other aggregate following')
    })
  })

  describe('Defining commands', () => {
    it('a field that is required must be there', () => {
      expect(() => PublishArticle({} as never)).toThrow('articleId')
    })

    it('a field with a default is filled in as the command is made', () => {
      const before = Date.now()
      const { publishedAt } = publish().data
      expect(publishedAt.getTime()).toBeGreaterThanOrEqual(before)
      expect(publishedAt.getTime()).toBeLessThanOrEqual(Date.now())
    })

    it('a command always belongs to an aggregate', async () => {
      const Homeless = command('Homeless', shape<{ articleId: string }>())
      expect(() =>
        router('homeless', (to) =>
          to.identify(Article, { by: 'articleId' }).dispatch(Homeless as never, { to: Article }),
        ),
      ).toThrow('Homeless')
      const logger = recordingLogger()
      await using app = await application({
        name,
        router: publishingRouter,
        eventStore: stores.node(),
        logger,
      }).start()
      await expect(app.process(Homeless({ articleId: '1' }) as never)).rejects.toMatchObject({
        code: 'unregistered_command',
      })
    })
  })

  describe('Submitting commands', () => {
    it('who submits a command need not know its handler: the application finds it', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      const { streamId, events } = await app.process(publish())
      expect([streamId, events.map(({ type }) => type)]).toEqual(['article-1', ['ArticlePublished']])
    })
  })

  describe('Synchronous and asynchronous processing', () => {
    it('a synchronous command is processed before the call is answered', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      const { aggregateState } = await app.process(publish(), { asynchronous: false })
      expect(aggregateState.status).toBe('published')
    })

    it('an asynchronous command is stored, and the call is answered without waiting for it', async () => {
      const eventStore = stores.node()
      await using app = await application({ name, router: publishingRouter, eventStore }).start()
      const receipt = await app.process(publish(), { asynchronous: true })
      expect(await receipt.status()).toMatchObject({ state: 'queued', type: 'PublishArticle' })
      expect(await eventStore.headPosition()).toBe(0)
    })

    it('an asynchronous command is processed later by a worker in the background', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      const receipt = await app.process(publish(), { asynchronous: true })
      await using _worker = await application({
        name: 'worker',
        router: publishingRouter,
        eventStore: stores.node(),
        workers: 1,
      }).start()
      expect((await receipt.completed()).aggregateState.status).toBe('published')
    })

    it('the call says which of both it is, and wins over the configuration: both ways', async () => {
      await using sync = await application({
        name: 'sync',
        router: publishingRouter,
        eventStore: stores.node(),
        commandProcessing: 'sync',
      }).start()
      await using async = await application({
        name: 'async',
        router: publishingRouter,
        eventStore: stores.node(),
        commandProcessing: 'async',
      }).start()
      const receipt: CommandReceipt = await sync.process(publish('1'), { asynchronous: true })
      expect(await receipt.status()).toMatchObject({ state: 'queued' })
      const result = await async.process(publish('2'), { asynchronous: false })
      expect(result.aggregateVersion).toBe(1)
    })

    it('the configuration says which of both it is where the call says nothing', async () => {
      await using sync = await application({
        name: 'sync',
        router: publishingRouter,
        eventStore: stores.node(),
        commandProcessing: 'sync',
      }).start()
      await using async = await application({
        name: 'async',
        router: publishingRouter,
        eventStore: stores.node(),
        commandProcessing: 'async',
      }).start()
      expect((await sync.process(publish('1'))).aggregateVersion).toBe(1)
      expect(await (await async.process(publish('2'))).status()).toMatchObject({ state: 'queued' })
    })

    it('nothing said at all is synchronous, where Protean is asynchronous', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      expect((await app.process(publish())).aggregateVersion).toBe(1)
    })
  })

  describe('When to use each', () => {
    it('synchronous processing tells at once what became of the command', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      expect((await app.process(publish())).events).toHaveLength(1)
      await expect(app.process(publish())).rejects.toMatchObject({
        code: 'already_published',
        outcome: 'not-executed',
      })
    })

    it('what has to be done as a whole is one synchronous unit: all of it is stored, or nothing', async () => {
      const eventStore = stores.node()
      await using app = await application({ name, router: publishingRouter, eventStore }).start()
      const together = unitOfWork(app, async ({ repository }) => {
        const article = await repository.create(Article, '1')
        article.execute(publish('1'))
        article.execute(publish('1'))
        repository.add(article)
      })
      await expect(together).rejects.toMatchObject({ code: 'already_published' })
      expect(await eventStore.headPosition()).toBe(0)
    })

    it('asynchronous processing keeps nobody waiting for a command that takes long', async () => {
      const gate = deferred()
      const slow = router('slow', (to) =>
        to.identify(Article, { by: 'articleId', prefix: 'article-' }).dispatch(PublishArticle, {
          aggregate: Article,
          to: async (_article, data) => {
            await gate.promise
            return ArticlePublished(data)
          },
        }),
      )
      await using app = await application({
        name,
        router: slow,
        eventStore: stores.node(),
        workers: 1,
        commandProcessing: 'async',
      }).start()
      const receipt = await app.process(publish())
      await until(async () => (await receipt.status()).state === 'running', 'the worker being at it')
      gate.resolve()
      await receipt.completed()
    })

    it('asynchronous processing spreads the load over workers', async () => {
      const gate = deferred()
      const at: string[] = []
      const slow = (worker: string) =>
        router('slow', (to) =>
          to.identify(Article, { by: 'articleId', prefix: 'article-' }).dispatch(PublishArticle, {
            aggregate: Article,
            to: async (_article, data) => {
              at.push(worker)
              await gate.promise
              return ArticlePublished(data)
            },
          }),
        )
      const worker = (of: string) =>
        application({ name: of, router: slow(of), eventStore: stores.node(), workers: 1 }).start()
      await using one = await worker('one')
      await using _other = await worker('other')
      const receipts = [await one.enqueue(publish('1')), await one.enqueue(publish('2'))]
      await until(() => at.length === 2, 'both being at work')
      expect(new Set(at)).toEqual(new Set(['one', 'other']))
      gate.resolve()
      for (const receipt of receipts) await receipt.completed()
    })
  })

  describe('How asynchronous processing works', () => {
    it('the server finds the commands that have not been processed yet, and takes each to its handler', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      const receipts = [
        await app.enqueue(WriteArticle({ articleId: '1', title: 'One' })),
        await app.enqueue(publish('1')),
      ]
      await using _server = await application({
        name: 'server',
        router: publishingRouter,
        eventStore: stores.node(),
        workers: 2,
      }).start()
      for (const receipt of receipts) await receipt.completed()
      expect(await app.aggregateState(Article, '1')).toMatchObject({ title: 'One', status: 'published' })
    })

    it('the server takes only what is meant to be processed asynchronously', async () => {
      const { runs, counted } = counting()
      await using app = await application({ name, router: counted, eventStore: stores.node(), workers: 1 }).start()
      await app.process(publish('1'), { asynchronous: false })
      await (await app.enqueue(publish('2'))).completed()
      expect(runs).toEqual(['1', '2'])
    })

    it('the server keeps track of what it has processed, so that nothing is processed twice', async () => {
      const { runs, counted } = counting()
      const worker = (of: string) =>
        application({ name: of, router: counted, eventStore: stores.node(), workers: 1 }).start()
      await using app = await worker('first')
      await (await app.enqueue(publish('1'))).completed()
      await using next = await worker('next')
      await (await next.enqueue(publish('2'))).completed()
      expect(runs).toEqual(['1', '2'])
    })
  })

  describe('Workflow', () => {
    it('a controller turns what a request brings into a command, and submits that', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      const request: unknown = { type: 'WriteArticle', data: { articleId: '1', title: 'One' } }
      await app.process(publishingRouter.parse(request))
      expect(await app.aggregateState(Article, '1')).toMatchObject({ title: 'One' })
      expect(() => publishingRouter.parse({ type: 'WriteArticle', data: {} })).toThrow('articleId')
    })

    it('the synchronous flow stores the command, processes it, and gives its result back', async () => {
      const found: unknown[] = []
      const looking = router('looking', (to) =>
        to.identify(Article, { by: 'articleId', prefix: 'article-' }).dispatch(PublishArticle, {
          aggregate: Article,
          to: async (_article, data, { commandId }) => {
            found.push((await app.commands.get(commandId))?.state)
            return reply('looked', ArticlePublished(data))
          },
        }),
      )
      const app = application({ name, router: looking, eventStore: stores.node() })
      await using running = await app.start()
      const { events, reply: result } = await running.process(publish())
      expect([found, result]).toEqual([['running'], 'looked'])
      expect(await running.commands.get(events[0]?.commandId ?? '')).toMatchObject({ state: 'completed' })
    })

    it('the asynchronous flow acknowledges at once; the server gets the command later, and writes down how far it is', async () => {
      await using app = await application({ name, router: publishingRouter, eventStore: stores.node() }).start()
      const receipt = await app.process(publish(), { asynchronous: true })
      expect(receipt).toMatchObject({ commandId: expect.any(String), position: 1 })
      await using _server = await application({
        name: 'server',
        router: publishingRouter,
        eventStore: stores.node(),
        workers: 1,
      }).start()
      await receipt.completed()
      expect(await app.commands.get(receipt.commandId)).toMatchObject({ state: 'completed', position: 1 })
    })
  })

  describe('Immutability', () => {
    it('a command cannot be changed once it is made', () => {
      const made = publish()
      expect(() => {
        Object.assign(made.data, { publishedAt: new Date(0) })
      }).toThrow(TypeError)
      expect(() => made.data.publishedAt.setHours(0)).toThrow(TypeError)
      expect(() => {
        Object.assign(made, { type: 'Other' })
      }).toThrow(TypeError)
    })
  })

  describe('Relationship with event processing', () => {
    it('events are processed as the configuration says, where nothing else is said', async () => {
      const sync = frontPage('sync')
      await using app = await application({
        name,
        router: publishingRouter,
        eventStore: stores.node(),
        handlers: [sync.handler],
        eventProcessing: 'sync',
      }).start()
      await app.process(publish())
      expect(sync.articles).toEqual(['1'])
    })

    it('events are processed asynchronously by default', async () => {
      const gate = deferred()
      const slow = eventHandler('slow', { events: [ArticlePublished], handle: () => gate.promise })
      await using app = await application({
        name,
        router: publishingRouter,
        eventStore: stores.node(),
        handlers: [slow],
      }).start()
      expect((await app.process(publish())).aggregateVersion).toBe(1)
      gate.resolve()
    })

    it('an event says for itself how it is processed, and wins over the configuration: both ways', async () => {
      const { articles, handler } = frontPage()
      await using app = await application({
        name,
        router: publishingRouter,
        eventStore: stores.node(),
        handlers: [handler],
        eventProcessing: 'async',
      }).start()
      await app.process(AnnounceArticle({ articleId: '1' }))
      expect(articles).toEqual(['1'])
      const gate = deferred()
      const slow = eventHandler('slow', { events: [ArticleAnnounced], handle: () => gate.promise })
      const quiet = router('quiet', (to) =>
        to.identify(Article, { by: 'articleId', prefix: 'article-' }).dispatch(AnnounceArticle, {
          aggregate: Article,
          to: (_article, data) => asynchronously(ArticleAnnounced(data)),
        }),
      )
      await using other = await application({
        name: 'quiet',
        router: quiet,
        eventStore: stores.node(),
        handlers: [slow],
        eventProcessing: 'sync',
      }).start()
      expect((await other.process(AnnounceArticle({ articleId: '2' }))).aggregateVersion).toBe(1)
      gate.resolve()
    })

    it('commands and events follow one pattern: what is said of the one itself wins over the configuration', async () => {
      const { articles, handler } = frontPage()
      await using app = await application({
        name,
        router: publishingRouter,
        eventStore: stores.node(),
        handlers: [handler],
        workers: 1,
        commandProcessing: 'async',
        eventProcessing: 'sync',
      }).start()
      await (await app.process(publish('1'))).completed()
      expect(articles).toEqual(['1'])
      await app.process(publish('2'), { asynchronous: false })
      expect(articles).toEqual(['1', '2'])
    })
  })
})
