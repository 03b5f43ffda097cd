import { parseArgs } from 'node:util'
import { cases } from './cases/index.ts'
import type { Case } from './case.ts'

export interface Options {
  readonly short: boolean
  readonly rounds: number
  readonly cases: readonly Case[]
}

const FULL_ROUNDS = 5
const SHORT_ROUNDS = 2

/** @throws where an option is unknown or makes no sense, with a message for who typed it */
export function optionsFrom(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      case: { type: 'string', multiple: true },
      rounds: { type: 'string' },
    },
  })
  const rounds = Number(values.rounds ?? (values.short ? SHORT_ROUNDS : FULL_ROUNDS))
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1')
  const { short } = values
  const chosen =
    values.case?.map(caseNamed) ?? cases.filter(({ fullOnly, byNameOnly }) => !byNameOnly && !(short && fullOnly))
  return { short, rounds, cases: chosen }
}

function caseNamed(name: string): Case {
  const found = cases.find((candidate) => candidate.name === name)
  if (found !== undefined) return found
  throw new Error(`there is no case ${name}: there are ${cases.map((candidate) => candidate.name).join(', ')}`)
}
