import assert from 'node:assert/strict'
import { CommandCancelledError, CommandRejectedError, DuplicateCommandError } from 'edict'
import { Article, PublishArticle, WriteArticle } from '../domain/articles.ts'
import type { Stage } from './stage.ts'

const HOUR_MS = 3_600_000

/** A command that is sent twice, one that is taken back, and one that the domain refuses. */
export async function onceLaterNever({ app, frontPage, tell }: Stage): Promise<void> {
  tell('# Sent twice under one key, published once')
  const drafts = ['keys', 'time'].map((articleId) =>
    app.dispatch(WriteArticle({ articleId, authorId: 'ada', title: `On ${articleId}` })),
  )
  await Promise.all(drafts)
  const publish = PublishArticle({ articleId: 'keys' })
  const first = await app.process(publish, { idempotencyKey: 'button-1' })
  const again = await app.process(publish, { idempotencyKey: 'button-1' })
  assert.equal(again.commandId, first.commandId)
  const { aggregateVersion } = await again.completed()
  tell(`the same command: ${again.commandId === first.commandId}; the article is at version ${aggregateVersion}`)
  assert.equal(aggregateVersion, 2)
  // One that is made anew has a publishedAt of its own: another payload, which the key refuses.
  const anew = PublishArticle({ articleId: 'keys' })
  await assert.rejects(app.process(anew, { idempotencyKey: 'button-1' }), DuplicateCommandError)

  tell('# Delayed by an hour, and taken back')
  const later = await app.process(PublishArticle({ articleId: 'time' }), { delay: HOUR_MS })
  const { state: waiting } = await later.status()
  assert.equal(waiting, 'delayed')
  assert.equal(await later.cancel(), true)
  await assert.rejects(later.completed(), CommandCancelledError)
  const { state: over } = await later.status()
  const { status } = await app.aggregateState(Article, 'time')
  tell(`it was ${waiting}, and is ${over}; the article is a ${status}`)
  assert.deepEqual([over, status], ['cancelled', 'draft'])

  tell('# Published already: a rejection is an outcome, and no failure')
  const refused = await app.process(PublishArticle({ articleId: 'keys' }))
  const rejection: unknown = await refused.completed().catch((thrown: unknown) => thrown)
  assert.ok(rejection instanceof CommandRejectedError)
  const { state, attempts } = await refused.status()
  tell(`${state}: ${rejection.code}, after ${attempts} failed attempts`)
  assert.deepEqual([state, rejection.code, attempts], ['rejected', 'not_a_draft', 0])
  assert.deepEqual(frontPage(), ['On keys', 'On units'])
}
