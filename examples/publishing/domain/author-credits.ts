import { eventHandler } from 'edict'
import { ArticlePublished } from './articles.ts'
import { CreditAuthor } from './authors.ts'

/** One aggregate follows another, in a unit of its own. The event may come again: the id makes it the same command. */
export const authorCredits = eventHandler('author-credits', {
  events: [ArticlePublished],
  handle: async ({ articleId, authorId }, { eventId }, { dispatch }) => {
    await dispatch(CreditAuthor({ authorId, articleId }), { commandId: `credit-${eventId}` })
  },
})
