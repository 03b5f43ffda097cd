import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Hands a new folder to `use`, and removes it afterwards. */
export const withTemporaryFolder = async (use) => {
  const folder = mkdtempSync(join(tmpdir(), 'edict-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
