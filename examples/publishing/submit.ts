import process from 'node:process'
import app from './app.ts'
import { PublishArticle, WriteArticle } from './domain/articles.ts'
import { RegisterAuthor } from './domain/authors.ts'

// What a web process would do: it stores commands, and runs none. `edict server` does, in another process.
const [articleId = 'queues', title = `On ${articleId}`] = process.argv.slice(2)
await using running = await app.start()
await running.process(RegisterAuthor({ authorId: 'ada', name: 'Ada Dahl' }), { idempotencyKey: 'register-ada' })
await running.process(WriteArticle({ articleId, authorId: 'ada', title }), { idempotencyKey: `write-${articleId}` })
const { commandId } = await running.process(PublishArticle({ articleId }))
console.log(`queued as ${commandId}`)
