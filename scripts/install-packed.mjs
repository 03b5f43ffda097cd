import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fromRoot, root } from './root.mjs'
import { capture, run } from './run.mjs'

/** Packs the built package into a folder and answers the archive's path. */
export const pack = (folder) => {
  const listing = capture('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root })
  const packed = JSON.parse(listing)
  const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed)
  return join(folder, filename)
}

/** Lays the packed package into a project folder's node_modules, beside this repository's copies of its dependencies. */
export const installPacked = (archive, project) => {
  const modules = join(project, 'node_modules')
  const target = join(modules, 'edict')
  mkdirSync(target, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  run('tar', ['-xzf', archive, '--strip-components=1', '-C', target])
  const { dependencies } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))
  installLinked(Object.keys(dependencies), project)
}

/** Lays this repository's copies of packages into a project folder's node_modules. */
export const installLinked = (names, project) => {
  for (const name of names) {
    const link = join(project, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(fromRoot('node_modules', name), link, 'junction')
  }
}
