import assert from 'node:assert/strict'
import { SeveralAggregatesError, UnitOfWork, unitOfWork } from 'edict'
import { Article, RetitleArticle } from '../domain/articles.ts'
import { Author, CreditAuthor } from '../domain/authors.ts'
import type { Publishing } from '../publishing.ts'
import type { Stage } from './stage.ts'

const titleOf = async (app: Publishing) => (await app.aggregateState(Article, 'time')).title

/** Units that no command has begun: by hand, and as a function. */
export async function unitsOfWork({ app, tell }: Stage): Promise<void> {
  tell('# A unit of work by hand')
  const unit = new UnitOfWork(app).start()
  const article = await unit.repository.get(Article, 'time')
  article.execute(RetitleArticle({ articleId: article.id, title: 'On time' }))
  article.execute(RetitleArticle({ articleId: article.id, title: 'On time, at last' }))
  unit.repository.add(article)
  assert.equal(await titleOf(app), 'On time')
  const { events } = await unit.commit()
  tell(`committed ${events.length} events: ${await titleOf(app)}`)
  assert.deepEqual([events.length, unit.inProgress, await titleOf(app)], [2, false, 'On time, at last'])

  {
    // Rolls back at the end of the block, since nothing commits it.
    await using draft = new UnitOfWork(app).start()
    const again = await draft.repository.get(Article, 'time')
    again.execute(RetitleArticle({ articleId: again.id, title: 'On second thoughts' }))
    draft.repository.add(again)
  }
  tell(`rolled back: ${await titleOf(app)}`)
  assert.equal(await titleOf(app), 'On time, at last')

  tell('# A second aggregate in one unit')
  const both = unitOfWork(app, async ({ repository }) => {
    const one = await repository.get(Article, 'time')
    const other = await repository.get(Author, 'ada')
    one.execute(RetitleArticle({ articleId: one.id, title: 'On both' }))
    other.execute(CreditAuthor({ authorId: other.id, articleId: one.id }))
    repository.add(one)
    repository.add(other)
  })
  const refusal: unknown = await both.catch((thrown: unknown) => thrown)
  assert.ok(refusal instanceof SeveralAggregatesError)
  tell(`refused: ${refusal.code}`)
  assert.equal(await titleOf(app), 'On time, at last')
}
