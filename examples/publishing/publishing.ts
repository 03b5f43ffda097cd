import { application, router, type Logger } from 'edict'
import { sqliteEventStore } from 'edict/sqlite'
import { articleHandler } from './domain/article-handler.ts'
import { Article, PublishArticle, RetitleArticle, SyndicateArticle, WriteArticle } from './domain/articles.ts'
import { authorCredits } from './domain/author-credits.ts'
import { Author, CreditAuthor, RegisterAuthor } from './domain/authors.ts'
import type { NewsWire } from './domain/news-wire.ts'
import { frontPage } from './front-page.ts'

const publishingRouter = (newsWire: NewsWire) =>
  router('publishing', (routes) =>
    routes
      .identify(Article, { by: 'articleId', prefix: 'article-' })
      .identify(Author, { by: 'authorId', prefix: 'author-' })
      // What one aggregate can decide by itself needs no handler.
      .dispatch([WriteArticle, RetitleArticle], { to: Article })
      .dispatch([PublishArticle, SyndicateArticle], { to: articleHandler(newsWire) })
      .dispatch([RegisterAuthor, CreditAuthor], { to: Author }),
  )

export interface PublishingOptions {
  readonly newsWire: NewsWire
  /** Of how many aggregates this process runs queued commands at once. */
  readonly workers?: number
  readonly logger?: Logger
}

/** Publishing in a file, which several processes may share. */
export function publishing(path: string, { newsWire, workers = 0, logger }: PublishingOptions) {
  return application({
    name: 'publishing',
    router: publishingRouter(newsWire),
    eventStore: sqliteEventStore(path),
    handlers: [authorCredits, frontPage],
    // Protean's default: process(command) stores the command, and a worker runs it.
    commandProcessing: 'async',
    workers,
    queue: { maxAttempts: 2, backoff: { base: 20 } },
    ...(logger && { logger }),
  })
}

export type Publishing = ReturnType<typeof publishing>
