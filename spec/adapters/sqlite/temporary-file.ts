import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryFile {
  readonly directory: string
  /** Of a file that is not there yet, in a directory of its own. */
  readonly path: string
  readonly remove: () => void
}

export function temporaryFile(): TemporaryFile {
  const directory = mkdtempSync(join(tmpdir(), 'edict-sqlite-'))
  return {
    directory,
    path: join(directory, 'events.db'),
    remove: () => {
      rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}
