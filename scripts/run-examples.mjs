import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fromRoot, root } from './root.mjs'

// Each example has a main.ts that runs on an embedded default and exits 0.
const examples = readdirSync(fromRoot('examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(fromRoot('examples', entry.name, 'main.ts')))
  .map(({ name }) => name)
  .sort()

const failed = examples.filter((name) => {
  console.log(`\n# examples/${name}`)
  const args = [fromRoot('node_modules/tsx/dist/cli.mjs'), join('examples', name, 'main.ts')]
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 120_000,
  })
  return status !== 0
})

console.log(
  `\n${examples.length - failed.length} of ${examples.length} examples ran${failed.length > 0 ? `; failed: ${failed.join(', ')}` : ''}`,
)
if (failed.length > 0 || examples.length === 0) process.exitCode = 1
