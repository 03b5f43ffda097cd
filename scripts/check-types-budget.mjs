// Compiles a generated router of two hundred commands over forty aggregates, each of which is dispatched once, and fails where the
// compiler works too hard for it: a type that grows slow for users grows slow here first. It is compiled against the declarations that
// users get.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { spawnSync } from 'node:child_process'
import { build } from './build.mjs'
import { fromRoot } from './root.mjs'

const AGGREGATES = 40
const COMMANDS = 5
const BUDGET = 200_000

const numbers = (count) => Array.from({ length: count }, (_, index) => index)

const aggregateSource = (a) => {
  const names = numbers(COMMANDS).map((c) => `${a}x${c}`)
  const definitions = names.flatMap((name) => [
    `const Do${name} = command('Do${name}', shape<{ id${a}: string; amount: number }>())`,
    `const Done${name} = event('Done${name}', shape<{ id${a}: string; amount: number }>())`,
  ])
  return `${definitions.join('\n')}
const Thing${a} = aggregate('Thing${a}', {
  commands: [${names.map((name) => `Do${name}`).join(', ')}],
  events: [${names.map((name) => `Done${name}`).join(', ')}],
  initialState: () => ({ total: 0 }),
  execute: {
${names.map((name) => `    Do${name}: (thing, { id${a}, amount }) => thing.total < amount ? reject('refused${name}') : Done${name}({ id${a}, amount }),`).join('\n')}
  },
  apply: {
${names.map((name) => `    Done${name}: (thing, { amount }) => { thing.total += amount },`).join('\n')}
  },
})`
}

const steps = (a, atOnce) => {
  const names = numbers(COMMANDS).map((c) => `Do${a}x${c}`)
  const lists = atOnce ? [`[${names.join(', ')}]`] : names
  const registrations = lists.map((list) => `  .dispatch(${list}, { to: Thing${a} })`)
  return [`  .identify(Thing${a}, { by: 'id${a}', prefix: 'thing${a}-' })`, ...registrations].join('\n')
}

const dispatches = (a) =>
  numbers(COMMANDS)
    .map((c) => `;(await all.dispatch(Do${a}x${c}({ id${a}: 'A', amount: 1 }))).aggregateState.total.toFixed()`)
    .join('\n')

const program = ({ atOnce, dispatched }) => `
import { aggregate, command, event, reject, router, shape } from 'edict'
${numbers(AGGREGATES).map(aggregateSource).join('\n')}
export const all = router('all', (all) => all
${numbers(AGGREGATES)
  .map((a) => steps(a, atOnce))
  .join('\n')})
${dispatched ? numbers(AGGREGATES).map(dispatches).join('\n') : ''}
`

const tsc = createRequire(import.meta.url).resolve('typescript/lib/tsc.js')
const folder = fromRoot('.tmp', 'types-budget')

/** How many instantiations of types the compiler makes for a program. */
const instantiations = (source) => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/main.ts`, source)
  const settings = {
    extends: '../../tsconfig.json',
    include: ['main.ts'],
    compilerOptions: { paths: { edict: ['../../dist/index.d.ts'] } },
  }
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(settings))
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder, '--extendedDiagnostics'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the generated router does not compile:\n${stdout.slice(0, 2_000)}${stderr}`)
  return Number(/^Instantiations:\s+(\d+)/m.exec(stdout)[1])
}

build()

const measured = [
  ['an import of edict alone', "import { router } from 'edict'\nvoid router\n"],
  ['a router of 200 commands', program({ atOnce: true, dispatched: false }), BUDGET],
  ['the same, and each command dispatched', program({ atOnce: true, dispatched: true }), BUDGET],
  ['each command registered by itself, and dispatched', program({ atOnce: false, dispatched: true })],
]

for (const [title, source, budget = Infinity] of measured) {
  const count = instantiations(source)
  const verdict = count > budget ? `: OVER the budget of ${budget}` : ''
  console.log(`${String(count).padStart(9)}  ${title}${verdict}`)
  if (count > budget) process.exitCode = 1
}
rmSync(folder, { recursive: true, force: true })
