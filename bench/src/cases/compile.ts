import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { figure, type Case, type Figures, type Row } from '../case.ts'

const SCRIPT = fileURLToPath(new URL('../../../scripts/check-types-budget.mjs', import.meta.url))
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const COMPILER = 'compiler'

/** What the lines are of, by the words that tell them. */
const LINES = {
  alone: /import of edict alone/,
  defined: /^a router/,
  dispatched: /^the same.*dispatched/,
}

export const canMeasureCompile = existsSync(SCRIPT)

/** What the repository's own check of its compile budget prints: a count and what it is of, on each line. */
async function instantiations(): Promise<Figures> {
  const { stdout, stderr } = spawnSync(process.execPath, [SCRIPT], { cwd: ROOT, encoding: 'utf8' })
  const counts = [...stdout.matchAll(/^\s*([\d,]+)\s+(.+)$/gm)]
  const figures: Record<string, number> = {}
  for (const [name, words] of Object.entries(LINES)) {
    const count = counts.find(([, , what = '']) => words.test(what))?.[1]
    if (count === undefined) throw new Error(`no count of ${name} in what it printed:\n${stdout}${stderr}`)
    figures[name] = Number(count.replaceAll(',', ''))
  }
  return figures
}

const TARGET = { atMost: 200_000 }
const count = (label: string, name: keyof typeof LINES): Row => ({
  ...figure(COMPILER, name, 'instantiations', name === 'alone' ? undefined : TARGET),
  label,
})

export const compileCase: Case = {
  name: 'compile',
  title: 'compiling a generated router of 200 commands over 40 aggregates',
  notes: ['Instantiations of the TypeScript compiler, as the check of the compile budget counts them.'],
  rounds: 1,
  fullOnly: true,
  contenders: { [COMPILER]: instantiations },
  rows: [
    count('an import of edict alone', 'alone'),
    count('the router defined', 'defined'),
    count('and each command dispatched once', 'dispatched'),
  ],
}
