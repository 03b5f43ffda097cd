import { commandHandler } from 'edict'
import { Article, ArticleSyndicated, PublishArticle, SyndicateArticle } from './articles.ts'
import { Author } from './authors.ts'
import type { NewsWire } from './news-wire.ts'

/** Each function is one unit of work: what it adds is stored by one append when it is done, or not at all. */
export const articleHandler = (newsWire: NewsWire) =>
  commandHandler(Article, {
    commands: [PublishArticle, SyndicateArticle],
    handle: {
      // Two aggregates are loaded, and one is persisted: the author learns of it by the event.
      PublishArticle: async (publication, { repository }) => {
        const article = await repository.get(Article, publication.articleId)
        const author = await repository.find(Author, article.state.authorId)
        article.execute(PublishArticle(publication))
        repository.add(article)
        return `${article.state.title}, by ${author?.state.name ?? 'nobody we know'}`
      },

      // An attempt that fails later is made again, and so is the call. The command's id stays: by it the wire knows a repeat.
      SyndicateArticle: async ({ articleId }, { repository, commandId }) => {
        const article = await repository.get(Article, articleId)
        const reference = await newsWire.send(article.state.title, { key: commandId })
        article.raise(ArticleSyndicated({ reference }))
        repository.add(article)
      },
    },
  })
