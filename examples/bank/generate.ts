// Writes random bank commands, one a line. commands.ndjson was made with the defaults; for a large file:
//   npx tsx examples/bank/generate.ts --lines 1000000 --out /tmp/large.ndjson
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { print } from './output.ts'
import { randomCommands } from './random-commands.ts'

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000' },
    accounts: { type: 'string' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
})

const wholeNumber = (option: string, text: string): number => {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new RangeError(`--${option} must be a whole number, not ${text}`)
}

const lines = wholeNumber('lines', values.lines)
const accounts = wholeNumber('accounts', values.accounts ?? String(Math.ceil(lines / 25)))
const seed = wholeNumber('seed', values.seed)

function* text(): Generator<string, void> {
  for (const command of randomCommands({ commands: lines, accounts, seed })) yield `${JSON.stringify(command)}\n`
}

if (values.out === undefined) await print(text())
else await pipeline(Readable.from(text()), createWriteStream(values.out))
