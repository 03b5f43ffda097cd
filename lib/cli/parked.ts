import { Option, type Command } from 'commander'
import type { ParkedEvent } from '../subscribers/handler-control.ts'
import { wholeNumber } from './arguments.ts'
import { notFound, usageError } from './cli-error.ts'
import type { Cli, CommonOptions, ConfirmedOptions } from './cli.ts'
import { runnerNamed } from './handler-places.ts'
import type { LoadedApplication } from './load-application.ts'
import { controlOf } from './parked-control.ts'
import { plainJson, printable } from './plain.ts'
import { addReplay, selectionOf } from './replay.ts'
import { fields, table } from './table.ts'

interface ListOptions extends CommonOptions {
  readonly after: number
  readonly limit: number
}

interface DiscardOptions extends ConfirmedOptions {
  readonly key?: string
  readonly position?: number
  readonly all?: true
}

/** A parked event, and whose it is. */
type ParkedOf = ParkedEvent & { readonly handler: string }

export function addParked(program: Command, cli: Cli): void {
  const parked = program
    .command('parked')
    .description('events that handlers have set aside: list, show, replay, discard')
  cli
    .command(parked, 'list [handler]', 'list what is parked, of one handler or of all')
    .option('--after <position>', 'only what is behind this position', wholeNumber(0), 0)
    .option('--limit <count>', 'so many of each handler', wholeNumber(1), 100)
    .action((name: string | undefined, options: ListOptions) =>
      cli.withStore(options, async (loaded) => {
        const found = await parkedEvents(loaded, name, options)
        await cli.answer(options, found, () => listText(found))
      }),
    )
  cli
    .command(parked, 'show <handler> <position>', 'show one parked event, with what it failed with')
    .action((name: string, position: string, options: CommonOptions) =>
      cli.withStore(options, async (loaded) => {
        const after = wholeNumber(1)(position) - 1
        const found = (await parkedEvents(loaded, name, { after, limit: 1 })).filter(
          (one) => one.position === after + 1,
        )
        if (found.length === 0) throw notFound(`${name} has parked nothing at position ${position}`)
        await cli.answer(options, found, () => found.map(showText).join('\n'))
      }),
    )
  addReplay(parked, cli, 'replay <handler>', 'have parked events handled again, by the server that runs the handler')
  cli
    .destructive(parked, 'discard <handler>', 'give parked events up: they count as handled')
    .option('--key <key>', 'those of a key')
    .addOption(
      new Option('--position <position>', 'the one at this position')
        .argParser(wholeNumber(1))
        .conflicts(['key', 'all']),
    )
    .addOption(new Option('--all', 'all of them').conflicts('key'))
    .action((name: string, options: DiscardOptions) =>
      cli.withStore(options, (loaded) => discard(cli, loaded, name, options)),
    )
}

async function parkedEvents(
  { inside }: LoadedApplication,
  name: string | undefined,
  { after, limit }: Pick<ListOptions, 'after' | 'limit'>,
): Promise<readonly ParkedOf[]> {
  const runners = inside.makeRunners()
  const controls =
    name === undefined
      ? runners.filter((runner) => 'replay' in runner)
      : [controlOf(runnerNamed(inside, runners, name))]
  const found: ParkedOf[] = []
  for (const control of controls) {
    for (const event of await control.parked({ after, limit })) found.push({ handler: control.name, ...event })
  }
  return found
}

async function discard(cli: Cli, { inside }: LoadedApplication, name: string, options: DiscardOptions): Promise<void> {
  const control = controlOf(runnerNamed(inside, inside.makeRunners(), name))
  const { key, position, all } = options
  if (key === undefined && position === undefined && !all) {
    throw usageError('discard what? Say --key, --position or --all')
  }
  const which = all ? 'all events' : key === undefined ? `the event at position ${position}` : `the events of ${key}`
  await cli.confirm(options, `${which} that ${name} has parked count as handled from now on`)
  const discarded = await control.discard(selectionOf(options))
  if (discarded === 0 && !all) throw notFound(`${name} has parked nothing there`)
  await cli.answer(options, { handler: name, discarded }, () => `${discarded} discarded\n`)
}

function listText(found: readonly ParkedOf[]): string {
  return table(
    ['HANDLER', 'POSITION', 'TYPE', 'KEY', 'ATTEMPTS', 'PARKED AT', 'ERROR'],
    found.map((one) => [
      ...[one.handler, one.position, one.type, one.key, one.attempts, one.parkedAt],
      one.error === undefined ? '(behind another one)' : one.error.message,
    ]),
  )
}

function showText(one: ParkedOf): string {
  const text = fields([
    ['handler', one.handler],
    ['position', one.position],
    ['type', one.type],
    ['stream', `${one.streamId}@${one.streamVersion}`],
    ['key', one.key],
    ['attempts', one.attempts],
    ['parked at', one.parkedAt],
    ['data', one.event === undefined ? '(erased, or cannot be read)' : plainJson(one.event.data)],
    ['error', one.error && `${one.error.name}: ${one.error.message}`],
  ])
  return one.error?.stack === undefined ? text : `${text}\n${one.error.stack.split('\n').map(printable).join('\n')}\n`
}
