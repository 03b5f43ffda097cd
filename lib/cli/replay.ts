import { Option, type Command } from 'commander'
import type { ParkedSelection, ReplayOutcome } from '../subscribers/handler-control.ts'
import { seconds, wholeNumber } from './arguments.ts'
import type { Cli, CommonOptions } from './cli.ts'
import { EXIT } from './exit-code.ts'
import { runnerNamed } from './handler-places.ts'
import { controlOf } from './parked-control.ts'

interface ReplayOptions extends CommonOptions {
  readonly key?: string
  readonly position?: number
  readonly timeout: number
}

/** The command that has parked events handled again, by whoever runs the handler. */
export function addReplay(parent: Command, cli: Cli, nameAndArguments: string, description: string): void {
  cli
    .command(parent, nameAndArguments, description)
    .option('--key <key>', 'only those of a key')
    .addOption(
      new Option('--position <position>', 'only this one, which has to be the first of its key')
        .argParser(wholeNumber(1))
        .conflicts('key'),
    )
    .option(
      '--timeout <seconds>',
      'wait so long for what becomes of them; the request stands beyond that',
      seconds,
      5_000,
    )
    .action((name: string, options: ReplayOptions) =>
      cli.withStore(options, async ({ inside }) => {
        const control = controlOf(runnerNamed(inside, inside.makeRunners(), name))
        const outcome = await control.replay(selectionOf(options), { timeout: Math.max(1, options.timeout) })
        if (outcome.failed > 0) cli.exitCode = EXIT.failure
        await cli.answer(options, outcome, () => outcomeText(outcome))
      }),
    )
}

/** Which parked events are meant; all where nothing is said. */
export function selectionOf({ key, position }: Pick<ReplayOptions, 'key' | 'position'>): ParkedSelection {
  if (key !== undefined) return { key }
  return position === undefined ? 'all' : { position }
}

function outcomeText({ replayed, failed, waiting }: ReplayOutcome): string {
  const still = waiting === 0 ? '' : ', for the server that runs the handler'
  return `${replayed} handled, ${failed} failed again, ${waiting} waiting${still}\n`
}
