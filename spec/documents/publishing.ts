import { aggregate, command, event, eventHandler, reject, router, synchronously } from 'edict'
import { z } from 'zod'
import { everyStore } from '../support/every-store.ts'

// The domain of Protean's documents: articles that are published.

export const WriteArticle = command('WriteArticle', z.object({ articleId: z.string(), title: z.string() }))
export const PublishArticle = command(
  'PublishArticle',
  z.object({ articleId: z.string(), publishedAt: z.date().default(() => new Date()) }),
)
export const AnnounceArticle = command('AnnounceArticle', z.object({ articleId: z.string() }))
export const ArticleWritten = event('ArticleWritten', z.object({ articleId: z.string(), title: z.string() }))
export const ArticlePublished = event('ArticlePublished', z.object({ articleId: z.string(), publishedAt: z.date() }))
export const ArticleAnnounced = event('ArticleAnnounced', z.object({ articleId: z.string() }))

interface ArticleState {
  title: string
  status: 'draft' | 'published'
  publishedAt: Date | undefined
}

export const Article = aggregate('Article', {
  commands: [WriteArticle, PublishArticle, AnnounceArticle],
  events: [ArticleWritten, ArticlePublished, ArticleAnnounced],
  initialState: (): ArticleState => ({ title: '', status: 'draft', publishedAt: undefined }),
  execute: {
    WriteArticle: (_article, data) => ArticleWritten(data),
    PublishArticle: ({ status }, data) =>
      status === 'published' ? reject('already_published') : ArticlePublished(data),
    AnnounceArticle: (_article, data) => synchronously(ArticleAnnounced(data)),
  },
  apply: {
    ArticleWritten: (article, { title }) => {
      article.title = title
    },
    ArticlePublished: (article, { publishedAt }) => {
      article.status = 'published'
      article.publishedAt = publishedAt
    },
    ArticleAnnounced: () => undefined,
  },
})

export const publishingRouter = router('publishing', (publishing) =>
  publishing
    .identify(Article, { by: 'articleId', prefix: 'article-' })
    .dispatch([WriteArticle, PublishArticle, AnnounceArticle], { to: Article }),
)

/** The articles that are published, in the order in which readers come to know of it. */
export function frontPage(name = 'front-page') {
  const articles: string[] = []
  const handler = eventHandler(name, {
    events: [ArticlePublished, ArticleAnnounced],
    handle: ({ articleId }) => {
      articles.push(articleId)
    },
  })
  return { articles, handler }
}

/** What is said holds on every store; these two run in the process, and so quickly. */
export const documentedStores = everyStore.filter(({ kind }) => kind !== 'PostgreSQL')
