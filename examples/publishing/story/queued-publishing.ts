import assert from 'node:assert/strict'
import { Article, PublishArticle, WriteArticle } from '../domain/articles.ts'
import { Author, RegisterAuthor } from '../domain/authors.ts'
import type { Stage } from './stage.ts'

/** An article is published by a worker; its author, another aggregate, follows the event. */
export async function queuedPublishing({ app, frontPage, tell }: Stage): Promise<void> {
  tell('# An article is written now, and published by the queue')
  const now = { asynchronous: false } as const
  await app.process(RegisterAuthor({ authorId: 'ada', name: 'Ada Dahl' }), now)
  await app.process(WriteArticle({ articleId: 'units', authorId: 'ada', title: 'On units' }), now)
  const receipt = await app.process(PublishArticle({ articleId: 'units' }))
  tell(`stored as number ${receipt.position} of the commands`)

  const { reply, aggregateVersion, events } = await receipt.completed()
  tell(`published: ${reply}`)
  assert.equal(reply, 'On units, by Ada Dahl')
  assert.equal(aggregateVersion, 2)
  assert.deepEqual(
    events.map(({ streamId, type }) => `${streamId} ${type}`),
    ['article-units ArticlePublished'],
  )
  const { status } = await app.aggregateState(Article, 'units')
  assert.equal(status, 'published')

  // The event is synchronous: its handlers are done.
  const { published } = await app.aggregateState(Author, 'ada')
  tell(`the front page has ${frontPage().join(', ')}; Ada has published ${published}`)
  assert.deepEqual([frontPage(), published], [['On units'], 1])
}
