import { Option, type Command } from 'commander'
import { LONGEST_TIMER_MS } from '../effects/clock.ts'
import { CliError, usageError } from './cli-error.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { loadApplication, type LoadedApplication } from './load-application.ts'
import { plainJson } from './plain.ts'
import type { Terminal } from './terminal.ts'

/** What every command takes. */
export interface CommonOptions {
  readonly app?: string
  readonly json?: true
}

/** What a destructive command takes. */
export interface ConfirmedOptions extends CommonOptions {
  readonly yes?: true
}

/** What all commands of the command line share. */
export class Cli {
  readonly terminal: Terminal
  /** What the process ends with where nothing is thrown. */
  exitCode: ExitCode = EXIT.ok

  constructor(terminal: Terminal) {
    this.terminal = terminal
  }

  /** A command with the options that all have. */
  command(parent: Command, nameAndArguments: string, description: string): Command {
    return parent
      .command(nameAndArguments)
      .description(description)
      .addOption(
        new Option('--app <file>', 'the module whose default export is the application; or the variable EDICT_APP'),
      )
      .option('--json', 'answer in JSON')
  }

  /** A command that destroys something, which asks before. */
  destructive(parent: Command, nameAndArguments: string, description: string): Command {
    return this.command(parent, nameAndArguments, description).option('-y, --yes', 'do not ask')
  }

  load({ app }: CommonOptions): Promise<LoadedApplication> {
    const file = app ?? this.terminal.env['EDICT_APP']
    if (file === undefined || file === '') {
      throw usageError('which application? Name its module: --app path/to/app.ts, or in the variable EDICT_APP')
    }
    return loadApplication(file, this.terminal.folder)
  }

  /** Works on an application that does not run, with its store open. */
  async withStore<Value>(
    options: CommonOptions,
    work: (loaded: LoadedApplication) => Promise<Value> | Value,
  ): Promise<Value> {
    const loaded = await this.load(options)
    const { store } = loaded.inside
    // Whoever waits for another process, by timers that do not count, would be taken for somebody with nothing to do.
    const alive = setInterval(() => undefined, LONGEST_TIMER_MS)
    try {
      await store.open()
      try {
        return await work(loaded)
      } finally {
        await store.close()
      }
    } finally {
      clearInterval(alive)
    }
  }

  /** One answer: a JSON document, or text. */
  async answer(options: CommonOptions, value: unknown, text: () => string): Promise<void> {
    await this.terminal.write(options.json ? `${plainJson(value, 2)}\n` : text())
  }

  /** One of many answers: a line of JSON, or text. */
  async item(options: CommonOptions, value: unknown, text: () => string): Promise<void> {
    await this.terminal.write(options.json ? `${plainJson(value)}\n` : text())
  }

  /** @throws {CliError} where nobody says yes */
  async confirm({ yes }: ConfirmedOptions, what: string): Promise<void> {
    if (yes) return
    const { ask } = this.terminal
    if (ask === undefined) {
      throw new CliError(`${what}: there is nobody to ask; say --yes to do it without asking`, EXIT.notConfirmed)
    }
    const answer = await ask(`${what}. Go on? [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('nothing was done', EXIT.notConfirmed)
  }
}
