import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import * as prettier from 'prettier'
import { readPage } from './runner/page.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const pages = [
  'README.md',
  ...readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
]

describe('the snippets of the pages', () => {
  it.each(pages)('of %s are formatted as the code is', async (path) => {
    const { snippets } = readPage(path, readFileSync(join(repository, path), 'utf8'))
    const options = await prettier.resolveConfig(join(repository, 'lib/index.ts'))
    for (const { lines } of snippets) {
      const code = `${lines.join('\n')}\n`
      expect(await prettier.format(code, { ...options, parser: 'typescript' })).toBe(code)
    }
  })
})
