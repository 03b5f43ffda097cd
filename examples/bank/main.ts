import { bankArguments, usage, UsageError } from './bank-arguments.ts'
import { CommandFile, UnreadableFileError } from './command-file.ts'
import { readLines } from './line-reader.ts'
import { ignoreBrokenPipe, print } from './output.ts'
import { printable } from './printable.ts'
import { Progress } from './progress.ts'
import { reportAsJson, reportAsText } from './report.ts'
import { runBank } from './run-bank.ts'

const EXIT_FAILED = 1
const EXIT_SOME_LINES_INVALID = 2

async function main(): Promise<void> {
  const { path, json, help } = bankArguments(process.argv.slice(2))
  if (help) return print([usage])

  const file = await CommandFile.at(path)
  const progress = new Progress(file)
  const started = performance.now()
  const report = await runBank(readLines(file), {
    onInvalid: (lineNumber, problem) => {
      progress.hide()
      process.stderr.write(`line ${lineNumber}: ${printable(problem)}\n`)
    },
    onProgress: (commands) => progress.update(commands),
  }).finally(() => progress.hide())
  const elapsedSeconds = (performance.now() - started) / 1000

  if (report.invalid.length > 0) process.exitCode = EXIT_SOME_LINES_INVALID
  await print(json ? reportAsJson(report) : reportAsText(report, elapsedSeconds))
}

ignoreBrokenPipe(process.stderr)
try {
  await main()
} catch (error) {
  process.exitCode = EXIT_FAILED
  if (error instanceof UsageError) process.stderr.write(`${printable(error.message)}\n\n${usage}`)
  else if (error instanceof UnreadableFileError) process.stderr.write(`${printable(error.message)}\n`)
  else throw error
}
