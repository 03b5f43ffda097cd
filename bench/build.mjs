// Edict is measured as it is published, and this package runs as plain JavaScript: both are compiled before the run.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bench = fileURLToPath(new URL('.', import.meta.url))
const compiler = join(root, 'node_modules/typescript/bin/tsc')

const run = (command, args, cwd) => {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] })
  if (error) throw error
  if (status !== 0) process.exit(1)
}

const changedAt = (path) => statSync(path).mtimeMs

const isBuilt = () => {
  const entry = join(root, 'dist/index.js')
  if (!existsSync(entry)) return false
  const sources = readdirSync(join(root, 'lib'), { recursive: true }).map((name) => join(root, 'lib', name))
  return Math.max(...sources.map(changedAt)) < changedAt(entry)
}

if (!existsSync(compiler)) {
  console.error('the compiler is not installed: run npm ci in the folder above first')
  process.exit(1)
}
if (!isBuilt()) run('npm', ['run', '--silent', 'build'], root)
rmSync(join(bench, 'dist'), { recursive: true, force: true })
run(process.execPath, [compiler, '--project', 'tsconfig.json'], bench)
