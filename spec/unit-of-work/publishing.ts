import { aggregate, command, commandHandler, event, reject, router, shape } from 'edict'

// Articles and their authors, as in Protean's documents.

export const WriteArticle = command('WriteArticle', shape<{ articleId: string; authorId: string }>())
export const PublishArticle = command('PublishArticle', shape<{ articleId: string; publishedAt: string }>())
export const ArticleWritten = event('ArticleWritten', shape<{ articleId: string; authorId: string }>())
export const ArticlePublished = event('ArticlePublished', shape<{ articleId: string; publishedAt: string }>())

export const Article = aggregate('Article', {
  commands: [WriteArticle, PublishArticle],
  events: [ArticleWritten, ArticlePublished],
  initialState: (): { status: 'NONE' | 'DRAFT' | 'PUBLISHED'; authorId: string } => ({ status: 'NONE', authorId: '' }),
  execute: {
    WriteArticle: (article, data) => (article.status === 'NONE' ? ArticleWritten(data) : reject('already_written')),
    PublishArticle: (article, data) =>
      article.status === 'DRAFT' ? ArticlePublished(data) : reject('not_a_draft', { status: article.status }),
  },
  apply: {
    ArticleWritten: (article, { authorId }) => {
      article.status = 'DRAFT'
      article.authorId = authorId
    },
    ArticlePublished: (article) => {
      article.status = 'PUBLISHED'
    },
  },
})

export const CreditAuthor = command('CreditAuthor', shape<{ authorId: string }>())
export const AuthorCredited = event('AuthorCredited', shape<{ authorId: string }>())

export const Author = aggregate('Author', {
  commands: [CreditAuthor],
  events: [AuthorCredited],
  initialState: () => ({ articles: 0 }),
  execute: { CreditAuthor: (_author, data) => AuthorCredited(data) },
  apply: {
    AuthorCredited: (author) => {
      author.articles++
    },
  },
})

export const articleHandler = commandHandler(Article, {
  commands: [WriteArticle, PublishArticle],
  handle: {
    async WriteArticle({ articleId, authorId }, { repository }) {
      const article = await repository.create(Article, articleId)
      article.raise(ArticleWritten({ articleId, authorId }))
      repository.add(article)
      return { version: article.version }
    },
    async PublishArticle({ articleId, publishedAt }, { repository }) {
      const article = await repository.get(Article, articleId)
      article.execute(PublishArticle({ articleId, publishedAt }))
      repository.add(article)
    },
  },
})

export const publishing = router('publishing', (routes) =>
  routes
    .identify(Article, { by: 'articleId', prefix: 'article-' })
    .identify(Author, { by: 'authorId', prefix: 'author-' })
    .dispatch([WriteArticle, PublishArticle], { to: articleHandler })
    .dispatch(CreditAuthor, { to: Author }),
)

export const PUBLISHED_AT = '2024-05-28T17:47:35Z'
