import assert from 'node:assert/strict'
import { CommandDeadError } from 'edict'
import { SyndicateArticle } from '../domain/articles.ts'
import type { Stage } from './stage.ts'

/** A system outside is down for longer than a command is tried. */
export async function deadLetter({ app, newsWire, tell }: Stage): Promise<void> {
  tell('# The news wire is down: a dead letter')
  newsWire.isCut = true
  const receipt = await app.process(SyndicateArticle({ articleId: 'units' }))
  await assert.rejects(receipt.completed(), CommandDeadError)
  const [letter, ...others] = await app.commands.deadLetters.list()
  tell(`${letter?.type}, after ${letter?.attempts} attempts: ${letter?.failure?.message}`)
  assert.deepEqual([letter?.commandId, letter?.attempts, others], [receipt.commandId, 2, []])
  assert.match(letter?.failure?.message ?? '', /the wire is down/)

  tell('# It is up again: the letter is replayed')
  newsWire.isCut = false
  assert.equal(await app.commands.deadLetters.replay(receipt.commandId), 1)
  const { events } = await receipt.completed()
  tell(`${events.map(({ type }) => type).join(', ')}; the wire has sent ${newsWire.titles.join(', ')}`)
  assert.deepEqual(newsWire.titles, ['On units'])
  assert.deepEqual(await app.commands.deadLetters.list(), [])
}
