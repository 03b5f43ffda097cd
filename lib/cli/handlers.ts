import { InvalidArgumentError, type Command } from 'commander'
import type { StartFrom } from '../event-store/start-from.ts'
import type { Cli, CommonOptions, ConfirmedOptions } from './cli.ts'
import { handlerPlaces, runnerNamed, type HandlerPlace } from './handler-places.ts'
import type { LoadedApplication } from './load-application.ts'
import { controlOf } from './parked-control.ts'
import { addReplay } from './replay.ts'
import { duration, fields, table } from './table.ts'

interface ResetOptions extends ConfirmedOptions {
  readonly from?: StartFrom
}

export function addHandlers(program: Command, cli: Cli): void {
  const handlers = program
    .command('handlers')
    .description('how event handlers, process managers and projections do; reset them, and replay what they parked')
  cli
    .command(handlers, 'list', 'list them with their places, their lag and who runs them')
    .action((options: CommonOptions) =>
      cli.withStore(options, async ({ inside }) => {
        const places = await handlerPlaces(inside, inside.makeRunners())
        await cli.answer(options, places, () => placesText(places))
      }),
    )
  cli.command(handlers, 'show <handler>', 'show one of them').action((name: string, options: CommonOptions) =>
    cli.withStore(options, async ({ inside }) => {
      const runner = runnerNamed(inside, inside.makeRunners(), name)
      const [place] = await handlerPlaces(inside, [runner])
      if (place !== undefined) await cli.answer(options, place, () => placeText(place))
    }),
  )
  cli
    .destructive(handlers, 'reset <handler>', 'let an event handler begin anew, whichever process runs it')
    .option('--from <where>', 'origin, current or a position; where nothing is said, as its definition says', startFrom)
    .action((name: string, options: ResetOptions) =>
      cli.withStore(options, (loaded) => reset(cli, loaded, name, options)),
    )
  addReplay(handlers, cli, 'replay <handler>', 'have all events handled again that a handler has parked')
}

async function reset(cli: Cli, { inside }: LoadedApplication, name: string, options: ResetOptions): Promise<void> {
  const control = controlOf(runnerNamed(inside, inside.makeRunners(), name))
  const { from } = options
  await cli.confirm(
    options,
    `${name} handles its events anew, ${from === undefined ? 'from where its definition says' : `from ${from}`}; ` +
      'what it parked from there on is forgotten',
  )
  await control.reset(from === undefined ? {} : { startFrom: from })
  await cli.answer(options, { handler: name, reset: true }, () => `${name} begins anew\n`)
}

function startFrom(text: string): StartFrom {
  if (text === 'origin' || text === 'current') return text
  const position = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(position) && position >= 1) return position
  throw new InvalidArgumentError("It must be 'origin', 'current' or a position, a whole number from 1.")
}

function placesText(places: readonly HandlerPlace[]): string {
  return table(
    ['HANDLER', 'KIND', 'STATE', 'POSITION', 'LAG', 'AGE', 'PARKED'],
    places.map((place) => [
      ...[place.name, place.kind, stateText(place), place.position, place.lagEvents],
      ...[place.lagEvents === 0 ? '' : duration(place.lagSeconds * 1_000), place.parked],
    ]),
  )
}

function placeText(place: HandlerPlace): string {
  return fields([
    ['handler', place.name],
    ['kind', place.kind],
    ['state', stateText(place)],
    ['position', place.position],
    ['lag', place.lagEvents === 0 ? 0 : `${place.lagEvents} events, ${duration(place.lagSeconds * 1_000)}`],
    ['parked', place.parked],
    ['owners', place.owners.join(', ')],
  ])
}

function stateText({ state, partitions, owned }: HandlerPlace): string {
  return partitions > 1 && state === 'owned' ? `owned ${owned}/${partitions}` : state
}
