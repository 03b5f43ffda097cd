import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { storeChoice, type StoreChoice } from './stores/store-choice.ts'

export const usage = `Usage: npm start -- [options] [PATH]

Runs bank commands and prints the accounts that come of them.

PATH is a file with one command a line, such as
  {"type":"OpenAccount","data":{"accountNumber":"NO-1","owner":"Astrid Dahl","initialBalance":10000}}
or - for standard input. Without a PATH, the example's own commands.ndjson is read. Amounts are whole numbers
of minor units (cents).

Options:
  --store STORE  where the events and the accounts are:
                   memory         nowhere but in this process
                   sqlite:PATH    in a file, which is made if it is not there
                   postgres:URL   in a database, such as postgres://user:password@localhost:5432/bank
                 A file or a database is kept, and the next run goes on from there. Without --store, each run
                 begins with a new SQLite file, which it removes when it ends.
  --json         print JSON and nothing else
  -h, --help     print this help

All accounts of the store are printed; what is counted as accepted or rejected is that of this run.

Exit status:
  0    every line held a command (rejections are normal)
  1    the file cannot be read, the store failed, or the arguments are wrong
  2    some lines held no command: they are on standard error, with their numbers; the rest was run
  130  Ctrl-C: the commands under way were finished, and the rest of the file was left (143 after SIGTERM)
`

/** The user called us wrongly; the message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface BankArguments {
  readonly path: string
  readonly store: StoreChoice
  readonly json: boolean
  readonly help: boolean
}

export function bankArguments(args: readonly string[]): BankArguments {
  const { values, positionals } = parsed(args)
  const [path = fileURLToPath(new URL('commands.ndjson', import.meta.url)), ...others] = positionals
  if (others.length > 0) throw new UsageError(`one PATH at most, not ${positionals.length}`)
  return { path, store: storeChoice(values.store), json: values.json, help: values.help }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        store: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
