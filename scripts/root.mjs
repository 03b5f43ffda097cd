import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** The path of a file within the repository. */
export const fromRoot = (...segments) => join(root, ...segments)
