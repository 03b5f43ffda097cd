// The runtime under test runs this file: Node, Bun or Deno.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { smoke } from './smoke.mjs'

const { version } = JSON.parse(readFileSync(new URL('./node_modules/edict/package.json', import.meta.url), 'utf8'))
try {
  console.log(`edict ${version}: ${await smoke()}`)
} catch (error) {
  console.error(error)
  process.exit(1)
}
