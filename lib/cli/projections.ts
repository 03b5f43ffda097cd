import type { Command } from 'commander'
import { CliError, notFound } from './cli-error.ts'
import type { Cli, CommonOptions } from './cli.ts'
import { handlerPlaces, runnerNamed, type HandlerPlace } from './handler-places.ts'
import type { LoadedApplication } from './load-application.ts'
import { duration, table } from './table.ts'

export function addProjections(program: Command, cli: Cli): void {
  const projections = program.command('projections').description('list projections, and build their tables anew')
  cli.command(projections, 'list', 'list them with their places and their lag').action((options: CommonOptions) =>
    cli.withStore(options, async ({ inside }) => {
      const places = (await handlerPlaces(inside, inside.makeRunners())).filter(({ kind }) => kind === 'projection')
      await cli.answer(options, places, () => placesText(places))
    }),
  )
  cli
    .command(projections, 'rebuild <projection>', 'build its tables anew beside those that are read, and swap them')
    .action((name: string, options: CommonOptions) =>
      cli.withStore(options, (loaded) => rebuild(cli, loaded, name, options)),
    )
}

/** The projection runs in this process as in one more node, for as long as it is built. */
async function rebuild(cli: Cli, { inside }: LoadedApplication, name: string, options: CommonOptions): Promise<void> {
  const runner = runnerNamed(inside, inside.makeRunners(), name)
  if (!('rebuild' in runner)) throw notFound(`${name} is no projection of the application ${inside.name}`)
  const startedAt = performance.now()
  try {
    await runner.start()
    const { failure } = inside.services.board.handler(name) ?? {}
    if (failure !== undefined) throw new CliError(`${name} cannot be built: ${String(failure.error)}`)
    await runner.rebuild()
  } finally {
    await runner.stop()
  }
  const milliseconds = Math.round(performance.now() - startedAt)
  await cli.answer(
    options,
    { projection: name, rebuilt: true, milliseconds },
    () => `${name} is built anew, in ${duration(milliseconds)}\n`,
  )
}

function placesText(places: readonly HandlerPlace[]): string {
  return table(
    ['PROJECTION', 'STATE', 'POSITION', 'LAG'],
    places.map(({ name, state, position, lagEvents }) => [name, state, position, lagEvents]),
  )
}
