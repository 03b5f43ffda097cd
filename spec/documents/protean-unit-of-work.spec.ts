import { describe, expect, it } from '@jest/globals'
import { UnitOfWork, application, currentUnitOfWork, eventHandler, router, unitOfWork } from 'edict'
import type { EventStore, Repository } from 'edict'
import { until } from '../support/counter.ts'
import {
  Article,
  ArticlePublished,
  ArticleWritten,
  PublishArticle,
  WriteArticle,
  documentedStores,
  publishingRouter,
} from './publishing.ts'

// Protean's document on units of work (seeds/004), heading by heading and in its order.

const started = (eventStore: EventStore) =>
  application({ name: 'publishing', router: publishingRouter, eventStore }).start()

const publish = (articleId = '1') => PublishArticle({ articleId, publishedAt: new Date(0) })

async function write(repository: Repository, articleId: string): Promise<void> {
  const article = await repository.create(Article, articleId)
  article.execute(WriteArticle({ articleId, title: `No. ${articleId}` }))
  repository.add(article)
}

describe.each(documentedStores)("Protean's units of work, on $kind:", ({ share }) => {
  const stores = share()

  describe('Unit of work', () => {
    it('all changes to an aggregate are one transaction, without anybody saying so', async () => {
      const atOnce = router('at-once', (to) =>
        to.identify(Article, { by: 'articleId', prefix: 'article-' }).dispatch(PublishArticle, {
          aggregate: Article,
          to: (_article, data) => [ArticleWritten({ articleId: data.articleId, title: 'Now' }), ArticlePublished(data)],
        }),
      )
      const eventStore = stores.node()
      await using app = await application({ name: 'publishing', router: atOnce, eventStore }).start()
      let appends = 0
      app.on('append:stop', () => appends++)
      await app.dispatch(publish())
      expect([appends, await eventStore.headPosition()]).toEqual([1, 2])
    })

    it('a unit is begun by start, and ended by commit', async () => {
      const eventStore = stores.node()
      await using app = await started(eventStore)
      const uow = new UnitOfWork(app)
      uow.start()
      await write(uow.repository, '1')
      expect(await eventStore.headPosition()).toBe(0)
      await uow.commit()
      expect(await eventStore.headPosition()).toBe(1)
    })

    it('a unit around a function does the same: it commits at its end', async () => {
      const eventStore = stores.node()
      await using app = await started(eventStore)
      await unitOfWork(app, async ({ repository }) => {
        await write(repository, '1')
        expect(await eventStore.headPosition()).toBe(0)
      })
      expect(await eventStore.headPosition()).toBe(1)
    })

    it('a unit around a function that throws stores nothing', async () => {
      const eventStore = stores.node()
      await using app = await started(eventStore)
      const failing = unitOfWork(app, async ({ repository }) => {
        await write(repository, '1')
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      expect(await eventStore.headPosition()).toBe(0)
    })
  })

  describe('The current unit of work', () => {
    it('is there between start and commit, for what it runs', async () => {
      await using app = await started(stores.node())
      const uow = new UnitOfWork(app)
      uow.start()
      await uow.run(async () => {
        await Promise.resolve()
        expect(currentUnitOfWork()?.inProgress).toBe(true)
      })
      await uow.commit()
      expect(currentUnitOfWork()).toBeUndefined()
    })

    it('is there within the function', async () => {
      await using app = await started(stores.node())
      await unitOfWork(app, async () => {
        await Promise.resolve()
        expect(currentUnitOfWork()?.inProgress).toBe(true)
      })
      expect(currentUnitOfWork()).toBeUndefined()
    })

    it('says whether it is in progress', async () => {
      await using app = await started(stores.node())
      const uow = new UnitOfWork(app)
      expect(uow.inProgress).toBe(false)
      uow.start()
      expect(uow.inProgress).toBe(true)
      await uow.commit()
      expect(uow.inProgress).toBe(false)
    })
  })

  describe('One transaction, one aggregate', () => {
    it('several aggregates are never changed in one unit', async () => {
      const eventStore = stores.node()
      await using app = await started(eventStore)
      const both = unitOfWork(app, async ({ repository }) => {
        await write(repository, '1')
        await write(repository, '2')
      })
      await expect(both).rejects.toMatchObject({ code: 'several_aggregates' })
      expect(await eventStore.headPosition()).toBe(0)
    })

    it('the first aggregate is changed and persisted, its events are published, and a second one follows them', async () => {
      const next = eventHandler('next', {
        events: [ArticlePublished],
        handle: async ({ articleId }, { eventId }, { dispatch }) => {
          if (articleId === '1') await dispatch(publish('2'), { commandId: `next-${eventId}` })
        },
      })
      await using app = await application({
        name: 'publishing',
        router: publishingRouter,
        eventStore: stores.node(),
        handlers: [next],
      }).start()
      await app.dispatch(publish('1'))
      await until(async () => (await app.aggregateState(Article, '2')).status === 'published', 'the second one')
    })

    it('nobody is told of events that are not committed', async () => {
      const told: string[] = []
      const listening = eventHandler('listening', {
        events: [ArticlePublished],
        handle: ({ articleId }) => void told.push(articleId),
      })
      await using app = await application({
        name: 'publishing',
        router: publishingRouter,
        eventStore: stores.node(),
        handlers: [listening],
      }).start()
      const failing = unitOfWork(app, async ({ repository }) => {
        const article = await repository.create(Article, '1')
        article.execute(publish('1'))
        repository.add(article)
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      await app.dispatch(publish('2'))
      await until(() => told.length > 0, 'the one that is committed')
      expect(told).toEqual(['2'])
    })

    it('what the store can do is what the unit can: one append carries it, whole or not at all', async () => {
      const eventStore = stores.node()
      await using app = await started(eventStore)
      let appends = 0
      app.on('append:stop', () => appends++)
      await unitOfWork(app, async ({ repository }) => {
        await write(repository, '1')
        const article = await repository.get(Article, '1')
        article.execute(publish('1'))
      })
      expect([appends, await app.aggregateVersion(Article, '1')]).toEqual([1, 2])
    })
  })
})
