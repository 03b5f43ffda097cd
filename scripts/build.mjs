import { cpSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fromRoot, root } from './root.mjs'
import { run } from './run.mjs'

/** Compiles lib/ into a fresh dist/, the core first and without Node's types, and lays the stores' migrations beside. */
export const build = () => {
  rmSync(fromRoot('dist'), { recursive: true, force: true })
  const compiler = fromRoot('node_modules/typescript/bin/tsc')
  run(process.execPath, [compiler, '--build', '--force', 'tsconfig.build.json'], { cwd: root })
  const files = readdirSync(fromRoot('lib'), { recursive: true })
  for (const file of files.filter((name) => name.endsWith('.sql'))) {
    cpSync(fromRoot('lib', file), fromRoot('dist', file))
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build()
