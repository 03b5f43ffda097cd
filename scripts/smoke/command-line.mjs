// The command line of the packed package, as npm installs it, runs on modules of JavaScript and of TypeScript.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { spawnSync } from 'node:child_process'

const folder = 'node_modules/edict/'
const { bin } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'))
const edict = (...words) => spawnSync(process.execPath, [folder + bin.edict, ...words], { encoding: 'utf8' })

const domain = (shape, type) => `
import { aggregate, application, command, event, router } from 'edict'
import { shape } from 'edict'
import { sqliteEventStore } from 'edict/sqlite'
const Increase = command('Increase', ${shape})
const Increased = event('Increased', ${shape})
const Counter = aggregate('Counter', {
  commands: [Increase],
  events: [Increased],
  initialState: ()${type} => ({ total: 0 }),
  execute: { Increase: (_counter, increase) => Increased(increase) },
  apply: { Increased: (counter, { by }) => void (counter.total += by) },
})
const counters = router('counters', (builder) =>
  builder.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Increase, { to: Counter }),
)
export default application({ name: 'counting', router: counters, eventStore: sqliteEventStore('counting.db') })
`
writeFileSync('counting.mjs', domain('shape()', ''))
writeFileSync('counting.mts', domain('shape<{ id: string; by: number }>()', ': { total: number }'))

const expectAnswer = (words, fits) => {
  const { status, stdout, stderr } = edict(...words)
  if (!fits(status, stdout, stderr))
    throw new Error(`edict ${words.join(' ')} ended with ${status}: ${stdout}${stderr}`)
}
const showsRoute = (status, stdout) => status === 0 && /^Increase +Counter/m.test(stdout)

expectAnswer(['--version'], (status, stdout) => status === 0 && /^\d+\.\d+\.\d+\n$/.test(stdout))
expectAnswer(['routes', '--app', 'counting.mjs'], showsRoute)
expectAnswer(['doctor', '--app', 'counting.mjs'], (status) => status === 0)
const wants = process.argv.includes('--with-tsx') || process.features.typescript
expectAnswer(
  ['routes', '--app', 'counting.mts'],
  wants ? showsRoute : (status, _stdout, stderr) => status === 2 && stderr.includes('npm install --save-dev tsx'),
)
console.log(`command line: runs on JavaScript, and ${wants ? 'on TypeScript' : 'says what TypeScript needs'}`)
