import { EdictError } from 'edict'
import { bankArguments, usage, UsageError } from './bank-arguments.ts'
import { CommandFile, UnreadableFileError } from './command-file.ts'
import { readLines } from './line-reader.ts'
import { ignoreBrokenPipe, print } from './output.ts'
import { printable } from './printable.ts'
import { Progress } from './progress.ts'
import { reportAsJson, reportAsText } from './report.ts'
import { runBank } from './run-bank.ts'
import { StoreChoiceError } from './stores/store-choice.ts'
import { withBankStore } from './stores/with-bank-store.ts'

const EXIT_FAILED = 1
const EXIT_SOME_LINES_INVALID = 2
const EXIT_ON_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const

async function main(): Promise<void> {
  const { path, store, json, help } = bankArguments(process.argv.slice(2))
  if (help) return print([usage])

  const file = await CommandFile.at(path)
  const progress = new Progress(file)
  finishOnSignal(file)
  const started = performance.now()
  const report = await withBankStore(store, (bankStore) =>
    runBank(readLines(file), bankStore, {
      onInvalid: (lineNumber, problem) => {
        progress.hide()
        process.stderr.write(`line ${lineNumber}: ${printable(problem)}\n`)
      },
      onProgress: (commands) => progress.update(commands),
    }),
  ).finally(() => progress.hide())
  const elapsedSeconds = (performance.now() - started) / 1000

  if (report.invalid.length > 0) process.exitCode ??= EXIT_SOME_LINES_INVALID
  await print(json ? reportAsJson(report) : reportAsText(report, elapsedSeconds))
}

/** What is under way is finished, and what is temporary removed. Who sends the signal again has no more patience. */
function finishOnSignal(file: CommandFile): void {
  for (const [signal, status] of Object.entries(EXIT_ON_SIGNAL)) {
    process.once(signal, () => {
      process.exitCode = status
      file.close()
    })
  }
}

/** Whether the message says it all to who runs the bank. */
function isPlain(error: unknown): error is Error {
  return error instanceof UnreadableFileError || error instanceof StoreChoiceError || error instanceof EdictError
}

ignoreBrokenPipe(process.stderr)
try {
  await main()
} catch (error) {
  process.exitCode = EXIT_FAILED
  if (error instanceof UsageError) process.stderr.write(`${printable(error.message)}\n\n${usage}`)
  else if (isPlain(error)) process.stderr.write(`${printable(error.message)}\n`)
  else throw error
}
