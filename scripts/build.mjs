import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fromRoot, root } from './root.mjs'
import { run } from './run.mjs'

/** Compiles lib/ into a fresh dist/. */
export const build = () => {
  rmSync(fromRoot('dist'), { recursive: true, force: true })
  run(process.execPath, [fromRoot('node_modules/typescript/bin/tsc'), '--project', 'tsconfig.build.json'], {
    cwd: root,
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build()
