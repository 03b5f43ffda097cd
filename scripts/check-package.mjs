import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { installPacked, pack } from './install-packed.mjs'
import { fromRoot, root } from './root.mjs'
import { run } from './run.mjs'
import { withTemporaryFolder } from './temporary-folder.mjs'

const tool = (path, ...args) => run(process.execPath, [fromRoot('node_modules', path), ...args], { cwd: root })

build()
await withTemporaryFolder(async (folder) => {
  const archive = pack(folder)
  tool('publint/src/cli.js', 'run', archive, '--strict')
  tool('@arethetypeswrong/cli/dist/index.js', archive, '--profile', 'esm-only', '--no-emoji')

  // A consumer without skipLibCheck: every published declaration has to hold on its own.
  const project = join(folder, 'consumer')
  mkdirSync(project)
  installPacked(archive, project)
  copyFileSync(fromRoot('scripts/smoke/consumer.ts'), join(project, 'consumer.ts'))
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const options = ['--strict', '--noEmit', '--target', 'es2023', '--lib', 'es2023,esnext.disposable,dom']
    const modules = ['--module', module, '--moduleResolution', moduleResolution]
    run(process.execPath, [fromRoot('node_modules/typescript/bin/tsc'), ...options, ...modules, 'consumer.ts'], {
      cwd: project,
    })
    console.log(`types: a consumer compiles with module resolution "${moduleResolution}"`)
  }

  const required = "const { application } = require('edict'); if (typeof application !== 'function') process.exit(1)"
  run(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=commonjs', '--eval', required], {
    cwd: project,
  })
  console.log('require: a CommonJS consumer loads the package')
})
