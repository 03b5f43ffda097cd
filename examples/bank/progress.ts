import { SingleBar } from 'cli-progress'
import type { CommandFile } from './command-file.ts'

/** Shorter work needs no bar. */
const PATIENCE_SECONDS = 0.5

/** A bar on standard error, if that is a terminal and the work takes long. */
export class Progress {
  readonly #file: CommandFile
  readonly #started = performance.now()
  #bar: SingleBar | undefined

  constructor(file: CommandFile) {
    this.#file = file
  }

  update(commands: number): void {
    const seconds = (performance.now() - this.#started) / 1000
    if (!process.stderr.isTTY || seconds < PATIENCE_SECONDS) return
    const { bytes, bytesRead } = this.#file
    const shown = {
      commands: commands.toLocaleString('en'),
      // The bar has an estimate of its own, which begins at nought when the bar does.
      secondsLeft: bytes === undefined ? 0 : Math.ceil((seconds / bytesRead) * (bytes - bytesRead)),
    }
    this.#bar ??= startedBar(bytes, shown)
    this.#bar.update(bytesRead, shown)
  }

  /** Takes the bar away, to make room for other text; the next update brings it back. */
  hide(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }
}

function startedBar(bytes: number | undefined, shown: object): SingleBar {
  const bar = new SingleBar({
    // How much a pipe still has to give nobody knows.
    format:
      bytes === undefined ? '{commands} commands' : '{bar} {percentage} %  {commands} commands, {secondsLeft} s left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    // Ctrl-C ends the process at once, so nothing may be changed that would have to be put back.
    gracefulExit: false,
    linewrap: true,
  })
  bar.start(bytes ?? 0, 0, shown)
  return bar
}
