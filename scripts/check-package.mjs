import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { installLinked, installPacked, pack } from './install-packed.mjs'
import { fromRoot, root } from './root.mjs'
import { run } from './run.mjs'
import { withTemporaryFolder } from './temporary-folder.mjs'

const tool = (path, ...args) => run(process.execPath, [fromRoot('node_modules', path), ...args], { cwd: root })

/** Copies a consumer into a project and compiles it, under each way to resolve modules. */
const compile = (consumer, project, types = []) => {
  copyFileSync(fromRoot('scripts/smoke', consumer), join(project, consumer))
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    // Without skipLibCheck: every published declaration has to hold on its own.
    const options = ['--strict', '--noEmit', '--target', 'es2023', '--lib', 'es2023,esnext.disposable,dom']
    const modules = [
      '--module',
      module,
      '--moduleResolution',
      moduleResolution,
      ...types.flatMap((name) => ['--types', name]),
    ]
    run(process.execPath, [fromRoot('node_modules/typescript/bin/tsc'), ...options, ...modules, consumer], {
      cwd: project,
    })
    console.log(`types: ${consumer} compiles with module resolution "${moduleResolution}"`)
  }
}

const runIn = (project, script, ...args) => {
  for (const file of [script, 'smoke.mjs']) copyFileSync(fromRoot('scripts/smoke', file), join(project, file))
  run(process.execPath, [script, ...args], { cwd: project })
}

build()
await withTemporaryFolder(async (folder) => {
  const archive = pack(folder)
  tool('publint/src/cli.js', 'run', archive, '--strict')
  tool('@arethetypeswrong/cli/dist/index.js', archive, '--profile', 'esm-only', '--no-emoji')

  // Whoever uses no store with a driver has none, nor the types of one, nor those of Node.
  const project = join(folder, 'consumer')
  mkdirSync(project)
  installPacked(archive, project)
  compile('consumer.ts', project)
  runIn(project, 'missing-drivers.mjs')

  const required = "const { application } = require('edict'); if (typeof application !== 'function') process.exit(1)"
  run(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=commonjs', '--eval', required], {
    cwd: project,
  })
  console.log('require: a CommonJS consumer loads the package')

  installLinked(['@opentelemetry/api'], project)
  compile('consumer-of-opentelemetry.ts', project)

  installLinked(['better-sqlite3', '@types/better-sqlite3', 'pg', '@types/pg', '@types/node'], project)
  compile('consumer-of-stores.ts', project, ['node'])
  runIn(project, 'durable-store.mjs', join(folder, 'accounts.db'))
  runIn(project, 'command-line.mjs')
  installLinked(['tsx'], project)
  runIn(project, 'command-line.mjs', '--with-tsx')
})
