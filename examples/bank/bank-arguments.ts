import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'

export const usage = `Usage: npm start -- [options] [PATH]

Runs bank commands and prints the accounts that come of them.

PATH is a file with one command a line, such as
  {"type":"OpenAccount","data":{"accountNumber":"NO-1","owner":"Astrid Dahl","initialBalance":10000}}
or - for standard input. Without a PATH, the example's own commands.ndjson is read. Amounts are whole numbers
of minor units (cents).

Options:
  --json      print JSON and nothing else
  -h, --help  print this help

Exit status:
  0  every line held a command (rejections are normal)
  1  the file cannot be read, or the arguments are wrong
  2  some lines held no command: they are on standard error, with their numbers; the rest was run
`

/** The user called us wrongly; the message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface BankArguments {
  readonly path: string
  readonly json: boolean
  readonly help: boolean
}

export function bankArguments(args: readonly string[]): BankArguments {
  const { values, positionals } = parsed(args)
  const [path = fileURLToPath(new URL('commands.ndjson', import.meta.url)), ...others] = positionals
  if (others.length > 0) throw new UsageError(`one PATH at most, not ${positionals.length}`)
  return { path, json: values.json, help: values.help }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
