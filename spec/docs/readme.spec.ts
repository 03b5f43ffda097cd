import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { runExample } from '../examples/run-example.ts'

it('The README shows how npm start ends', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const shown = /^```text\n([\s\S]+?)^```/m.exec(readme)?.[1]
  const { stdout } = await runExample('examples/bank/main.ts', [])
  expect(shown).toMatch(/accepted/)
  expect(stdout).toContain(shown)
}, 180_000)
