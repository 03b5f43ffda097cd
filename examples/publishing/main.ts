import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'edict'
import { NewsWireInMemory } from './domain/news-wire.ts'
import { readFrontPage } from './front-page.ts'
import { publishing } from './publishing.ts'
import { deadLetter } from './story/dead-letter.ts'
import { onceLaterNever } from './story/once-later-never.ts'
import { queuedPublishing } from './story/queued-publishing.ts'
import { unitsOfWork } from './story/units-of-work.ts'

const ignore = () => undefined
// The story fails on purpose, and tells of it itself.
const quiet: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

const folder = mkdtempSync(join(tmpdir(), 'edict-publishing-'))
try {
  const path = join(folder, 'publishing.db')
  const newsWire = new NewsWireInMemory()
  await using app = await publishing(path, { newsWire, workers: 2, logger: quiet }).start()
  const tell = (line: string) => {
    console.log(line)
  }
  const stage = { app, newsWire, frontPage: () => readFrontPage(path), tell }
  for (const chapter of [queuedPublishing, onceLaterNever, deadLetter, unitsOfWork]) await chapter(stage)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
