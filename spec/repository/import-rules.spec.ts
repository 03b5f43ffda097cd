import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

interface Violation {
  from: string
  to: string
  rule: { name: string }
}

const repository = fileURLToPath(new URL('../..', import.meta.url))
const cruiser = join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

const sources: Record<string, string> = {
  'lib/index.ts': `export { routed } from './routing/router.ts'`,
  'lib/errors.ts': `export const failure = 'failure'`,
  'lib/messages/command.ts': `export { failure } from '../errors.ts'`,
  'lib/messages/upward.ts': `import { routed } from '../routing/router.ts'\nexport const upward = routed`,
  'lib/messages/type-only-upward.ts': `import type { Routed } from '../routing/router.ts'\nexport type Upward = Routed`,
  'lib/messages/platform.ts': `import { readFileSync } from 'node:fs'\nexport const platform = readFileSync`,
  'lib/messages/bare-platform.ts': `import { readFileSync } from 'fs'\nexport const platform = readFileSync`,
  'lib/messages/face.ts': `import { routed } from 'edict'\nexport const face = routed`,
  'lib/messages/left.ts': `import type { Right } from './right.ts'\nexport type Left = Right | 'left'`,
  'lib/messages/right.ts': `import type { Left } from './left.ts'\nexport type Right = Left | 'right'`,
  'lib/aggregate/sideways.ts': `import { stored } from '../adapters/sqlite/store.ts'\nexport const sideways = stored`,
  'lib/adapters/sqlite/store.ts': `import { readFileSync } from 'node:fs'\nexport const stored = readFileSync`,
  'lib/adapters/in-memory/store.ts': `import { readFileSync } from 'node:fs'\nexport const stored = readFileSync`,
  'lib/adapters/postgres/store.ts': `import { stored } from '../sqlite/store.ts'\nexport const other = stored`,
  'lib/sqlite/index.ts': `import { readFileSync } from 'node:fs'\nimport { stored } from '../adapters/sqlite/store.ts'\nimport { followed } from '../subscribers/follow.ts'\nexport const entrance = [stored, followed, readFileSync]`,
  'lib/postgres/index.ts': `import { routed } from '../index.ts'\nexport const entrance = routed`,
  'lib/subscribers/follow.ts': `export const followed = 'followed'`,
  'lib/subscribers/driven.ts': `import { stored } from '../adapters/sqlite/store.ts'\nexport const driven = stored`,
  'lib/adapters/nats/store.ts': `import { folded } from '../../aggregate/fold.ts'\nexport const stored = folded`,
  'lib/aggregate/fold.ts': `export const folded = 'folded'`,
  'lib/routing/router.ts': `import { failure } from '../messages/command.ts'\nexport const routed = failure\nexport type Routed = typeof routed`,
  'lib/routing/tested.ts': `import { given } from '../testing/index.ts'\nexport const tested = given`,
  'lib/testing/index.ts': `export const given = 'given'`,
  'lib/testing/high.ts': `import { routed } from '../routing/router.ts'\nexport const high = routed`,
  'lib/testing/higher.ts': `import '../index.ts'\nimport '../adapters/sqlite/store.ts'\nexport const higher = 'higher'`,
  'lib/utilities/helper.ts': `import { failure } from '../errors.ts'\nexport const helper = failure`,
  'examples/bank/main.ts': `import { routed } from 'edict'\nimport { failure } from '../../lib/errors.ts'\nexport const main = [routed, failure]`,
}

describe('the import rules', () => {
  let folder: string
  let violations: Violation[]

  const reported = (from: string): string[] =>
    violations.filter((violation) => violation.from === from).map(({ rule, to }) => `${rule.name} → ${to}`)

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'edict-imports-'))
    for (const file of ['.dependency-cruiser.mjs', 'tsconfig.json', 'package.json'])
      copyFileSync(join(repository, file), join(folder, file))
    for (const [path, source] of Object.entries(sources)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), source)
    }
    const args = [cruiser, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'lib', 'examples']
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    if (stdout === '') throw new Error(stderr)
    violations = (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations
  }, 180_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('refuse an upward import', () => {
    expect(reported('lib/messages/upward.ts')).toEqual(['imports-run-downward: messages → lib/routing/router.ts'])
  })

  it('refuse an upward import of a type', () => {
    expect(reported('lib/messages/type-only-upward.ts')).toEqual([
      'imports-run-downward: messages → lib/routing/router.ts',
    ])
  })

  it('refuse a circle, even one of types', () => {
    const circles = violations.filter(({ rule }) => rule.name === 'no-circles').flatMap(({ from, to }) => [from, to])
    expect(new Set(circles)).toEqual(new Set(['lib/messages/left.ts', 'lib/messages/right.ts']))
  })

  it("refuse the platform's own modules in the core, by either name", () => {
    expect(reported('lib/messages/platform.ts')).toEqual(['core-is-free-of-node → fs'])
    expect(reported('lib/messages/bare-platform.ts')).toEqual(['core-is-free-of-node → fs'])
    expect(reported('lib/adapters/in-memory/store.ts')).toEqual(['core-is-free-of-node → fs'])
  })

  it("let an adapter with a driver use the platform's modules", () => {
    expect(reported('lib/adapters/sqlite/store.ts')).toEqual([])
  })

  it('keep aggregates and adapters from knowing each other', () => {
    expect(reported('lib/aggregate/sideways.ts')).toEqual([
      'drivers-stay-behind-their-entrance → lib/adapters/sqlite/store.ts',
      'imports-run-downward: aggregate → lib/adapters/sqlite/store.ts',
    ])
    expect(reported('lib/adapters/nats/store.ts')).toContain('adapters-know-only-events → lib/aggregate/fold.ts')
  })

  it('keep adapters from knowing each other', () => {
    expect(reported('lib/adapters/postgres/store.ts')).toEqual([
      'adapters-do-not-know-each-other → lib/adapters/sqlite/store.ts',
    ])
  })

  it('keep each driver behind the entrance of its store', () => {
    expect(reported('lib/sqlite/index.ts')).toEqual([])
    expect(reported('lib/subscribers/driven.ts')).toContain(
      'drivers-stay-behind-their-entrance → lib/adapters/sqlite/store.ts',
    )
  })

  it('keep the entrances of the package beside each other', () => {
    expect(reported('lib/postgres/index.ts')).toEqual(['imports-run-downward: postgres → lib/index.ts'])
  })

  it('keep the public face for users', () => {
    expect(reported('lib/messages/face.ts')).toEqual(['imports-run-downward: messages → lib/index.ts'])
  })

  it('keep the published test helpers out of the library, and behind its entrances', () => {
    expect(reported('lib/routing/tested.ts')).toEqual(['imports-run-downward: routing → lib/testing/index.ts'])
    expect(reported('lib/testing/high.ts')).toEqual([])
    expect(reported('lib/testing/higher.ts')).toEqual([
      'drivers-stay-behind-their-entrance → lib/adapters/sqlite/store.ts',
      'testing-leans-on-floors → lib/adapters/sqlite/store.ts',
      'testing-leans-on-floors → lib/index.ts',
    ])
  })

  it('ask for the floor of a new folder', () => {
    expect(reported('lib/utilities/helper.ts')).toEqual(['every-file-is-on-a-floor → lib/errors.ts'])
  })

  it('have the examples use the package', () => {
    expect(reported('examples/bank/main.ts')).toEqual(['examples-use-the-package → lib/errors.ts'])
  })

  it('accept imports that run downward', () => {
    expect(reported('lib/routing/router.ts')).toEqual([])
    expect(reported('lib/index.ts')).toEqual([])
  })
})
