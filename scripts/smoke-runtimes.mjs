import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { installPacked, pack } from './install-packed.mjs'
import { fromRoot } from './root.mjs'
import { withTemporaryFolder } from './temporary-folder.mjs'

// Each weighs about 100 MB, so they are fetched for this check alone and are no development dependencies.
const runtimes = [
  { name: 'bun', version: '1.4.5', scope: '@oven', binaries: ['bin/bun', 'bin/bun.exe'], args: ['run'] },
  {
    name: 'deno',
    version: '2.9.6',
    scope: '@deno',
    binaries: ['deno', 'deno.exe'],
    args: ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual', '--cached-only'],
  },
]

const install = ({ name, version, scope, binaries }, folder) => {
  const home = join(folder, name)
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true }))
  // The binary ships inside a package for this platform; the install script that would link it is not needed.
  const args = [
    'install',
    '--ignore-scripts',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `${name}@${version}`,
  ]
  const { status, stderr } = spawnSync('npm', args, {
    cwd: home,
    encoding: 'utf8',
    timeout: 180_000,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status !== 0) return { missing: stderr?.trim().split('\n')[0] || 'the install did not end in time' }
  const scoped = join(home, 'node_modules', scope)
  const packages = existsSync(scoped) ? readdirSync(scoped) : []
  const binary = packages.flatMap((name) => binaries.map((path) => join(scoped, name, path))).find(existsSync)
  if (!binary) return { missing: 'no package for this platform' }
  chmodSync(binary, 0o755)
  return { binary }
}

const smokeIn = (binary, args, project) =>
  spawnSync(binary, [...args, 'main.mjs'], { cwd: project, stdio: ['ignore', 'inherit', 'inherit'], timeout: 60_000 })
    .status === 0

build()
await withTemporaryFolder(async (folder) => {
  const project = join(folder, 'project')
  mkdirSync(project)
  installPacked(pack(folder), project)
  for (const file of ['main.mjs', 'smoke.mjs']) copyFileSync(fromRoot('scripts/smoke', file), join(project, file))

  const failed = []
  console.log(`node ${process.versions.node}`)
  if (!smokeIn(process.execPath, [], project)) failed.push('node')
  for (const runtime of runtimes) {
    const { binary, missing } = install(runtime, folder)
    if (!binary) {
      console.log(`${runtime.name} ${runtime.version}: skipped, it could not be had here (${missing})`)
      continue
    }
    console.log(`${runtime.name} ${runtime.version}`)
    if (!smokeIn(binary, runtime.args, project)) failed.push(runtime.name)
  }
  if (failed.length > 0) {
    console.error(`wrong in ${failed.join(', ')}`)
    process.exitCode = 1
  }
})
