import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { describeThrown, isEdictError } from '../errors.ts'
import { CliError } from './cli-error.ts'
import { Cli } from './cli.ts'
import { addCommands } from './commands.ts'
import { addDeadLetters } from './dead-letters.ts'
import { addDoctor } from './doctor.ts'
import { addEvents } from './events.ts'
import { EXIT } from './exit-code.ts'
import { addHandlers } from './handlers.ts'
import { addMigrate } from './migrate.ts'
import { addParked } from './parked.ts'
import { printable } from './plain.ts'
import { addProjections } from './projections.ts'
import { addRoutes } from './routes.ts'
import { addServer } from './server.ts'
import { addStreams } from './streams.ts'
import type { Terminal } from './terminal.ts'

/** In the order in which the help lists them. */
const COMMANDS: readonly ((program: Command, cli: Cli) => void)[] = [
  addServer,
  addStreams,
  addEvents,
  addHandlers,
  addParked,
  addCommands,
  addDeadLetters,
  addProjections,
  addMigrate,
  addRoutes,
  addDoctor,
]

/**
 * Runs one command line.
 *
 * @param words without the program's name
 * @returns what the process is to end with
 */
export async function runCli(words: readonly string[], terminal: Terminal): Promise<number> {
  const cli = new Cli(terminal)
  try {
    await makeProgram(cli).parseAsync([...words], { from: 'user' })
    return cli.exitCode
  } catch (thrown) {
    return failed(thrown, terminal)
  }
}

/** All commands, as the help lists them. */
export function makeProgram(cli: Cli): Command {
  const { terminal } = cli
  const program = new Command('edict')
    .description('Runs an Edict application, and looks after what it has stored.')
    .version(versionOfEdict())
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => void terminal.write(text), writeErr: (text) => terminal.warn(text) })
  for (const add of COMMANDS) add(program, cli)
  return program
}

function versionOfEdict(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
  return version
}

/** A failure that has a name is a sentence; another one is a fault, of Edict or of the application, and comes with its stack. */
function failed(thrown: unknown, terminal: Terminal): number {
  // It has said what is wrong itself.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage
  const wantsMore = Boolean(terminal.env['EDICT_DEBUG'])
  terminal.warn(`edict: ${messageOf(thrown)}\n`)
  if (wantsMore && thrown instanceof Error) terminal.warn(`${String(thrown.stack)}\n${causeOf(thrown)}`)
  return thrown instanceof CliError ? thrown.exitCode : EXIT.failure
}

function messageOf(thrown: unknown): string {
  const lines = describeThrown(thrown).split('\n').map(printable).join('\n')
  if (thrown instanceof CliError) return lines
  return isEdictError(thrown) ? `${lines} (${thrown.code})` : `${lines} (EDICT_DEBUG=1 shows where)`
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? `because of ${String(cause.stack)}\n` : ''
}
