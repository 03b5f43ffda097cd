import { aggregate, command, event, reject, synchronously } from 'edict'
import { z } from 'zod'

const articleId = z.string().min(1)

export const WriteArticle = command(
  'WriteArticle',
  z.object({ articleId, authorId: z.string().min(1), title: z.string().min(1) }),
)
export const RetitleArticle = command('RetitleArticle', z.object({ articleId, title: z.string().min(1) }))
/** What is left out is filled in where the command is made, and not where it is run: a queued one says when it was asked for. */
export const PublishArticle = command(
  'PublishArticle',
  z.object({ articleId, publishedAt: z.date().default(() => new Date()) }),
)
export const SyndicateArticle = command('SyndicateArticle', z.object({ articleId }))

export const ArticleWritten = event('ArticleWritten', z.object({ authorId: z.string(), title: z.string() }))
export const ArticleRetitled = event('ArticleRetitled', z.object({ title: z.string() }))
export const ArticlePublished = event(
  'ArticlePublished',
  z.object({ articleId: z.string(), authorId: z.string(), title: z.string(), publishedAt: z.date() }),
)
export const ArticleSyndicated = event('ArticleSyndicated', z.object({ reference: z.string() }))

interface ArticleState {
  status: 'new' | 'draft' | 'published'
  authorId: string
  title: string
}

export const Article = aggregate('Article', {
  commands: [WriteArticle, RetitleArticle, PublishArticle],
  events: [ArticleWritten, ArticleRetitled, ArticlePublished, ArticleSyndicated],

  initialState: (): ArticleState => ({ status: 'new', authorId: '', title: '' }),

  execute: {
    WriteArticle: ({ status }, { authorId, title }) =>
      status === 'new' ? ArticleWritten({ authorId, title }) : reject('already_written'),

    RetitleArticle: ({ status }, { title }) =>
      status === 'draft' ? ArticleRetitled({ title }) : reject('not_a_draft', { status }),

    // Protean's raise_(event, asynchronous=False): the front page shows it before the command has its answer.
    PublishArticle: ({ status, authorId, title }, { articleId, publishedAt }) =>
      status === 'draft'
        ? synchronously(ArticlePublished({ articleId, authorId, title, publishedAt }))
        : reject('not_a_draft', { status }),
  },

  apply: {
    ArticleWritten: (article, { authorId, title }) => {
      article.status = 'draft'
      article.authorId = authorId
      article.title = title
    },
    ArticleRetitled: (article, { title }) => {
      article.title = title
    },
    ArticlePublished: (article) => {
      article.status = 'published'
    },
    ArticleSyndicated: () => undefined,
  },
})
