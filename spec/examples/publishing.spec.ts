import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { NewsWireInMemory } from '../../examples/publishing/domain/news-wire.ts'
import { readFrontPage } from '../../examples/publishing/front-page.ts'
import { publishing } from '../../examples/publishing/publishing.ts'
import { ServerProcess } from '../support/server-process.ts'
import { runExample } from './run-example.ts'

const appFile = fileURLToPath(new URL('../../examples/publishing/app.ts', import.meta.url))

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edict-publishing-spec-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the publishing example', () => {
  it('tells its story, and leaves nothing behind', async () => {
    const { status, stdout, stderr } = await runExample('examples/publishing/main.ts', [], '', { TMPDIR: folder })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
      'stored as number 3 of the commands',
      'published: On units, by Ada Dahl',
      'the front page has On units; Ada has published 1',
      'the same command: true; the article is at version 2',
      'it was delayed, and is cancelled; the article is a draft',
      'rejected: not_a_draft, after 0 failed attempts',
      'SyndicateArticle, after 2 attempts: the command handler of SyndicateArticle failed: the wire is down',
      'ArticleSyndicated; the wire has sent On units',
      'committed 2 events: On time, at last',
      'rolled back: On time, at last',
      'refused: several_aggregates',
      '',
    ])
    // tsx, which loads it, has a folder of its own there.
    expect((await readdir(folder)).filter((name) => name.startsWith('edict-'))).toEqual([])
  })

  it('queues articles in one process, which `edict server` publishes in another', async () => {
    const path = join(folder, 'publishing.db')
    const env = { PUBLISHING_FILE: path }
    const submitted = await runExample('examples/publishing/submit.ts', ['queues'], '', env)
    expect(submitted).toMatchObject({ status: 0, stdout: expect.stringMatching(/^queued as [\w-]+\n$/), stderr: '' })

    // No workers here: this process only looks.
    await using app = await publishing(path, { newsWire: new NewsWireInMemory() }).start()
    const receipt = await app.commands.receipt(submitted.stdout.trim().replace('queued as ', ''))
    expect(await receipt.status()).toMatchObject({ type: 'PublishArticle', state: 'queued' })
    const server = ServerProcess.start(['--app', appFile], env)
    try {
      await expect(receipt.completed({ timeout: 150_000 })).resolves.toMatchObject({ reply: 'On queues, by Ada Dahl' })
      expect(readFrontPage(path)).toEqual(['On queues'])
      server.signal('SIGTERM')
      expect(await server.exit()).toBe(0)
    } finally {
      await server.kill()
    }
  })
})
