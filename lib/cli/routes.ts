import { Option, type Command } from 'commander'
import type { Cli, CommonOptions } from './cli.ts'
import { routeMermaid } from './route-mermaid.ts'
import { routeTable } from './route-table.ts'
import { table } from './table.ts'

interface RoutesOptions extends CommonOptions {
  readonly mermaid?: true
}

export function addRoutes(program: Command, cli: Cli): void {
  cli
    .command(program, 'routes', 'show the router table: which command goes to which aggregate')
    .addOption(new Option('--mermaid', 'as a Mermaid flowchart').conflicts('json'))
    .action(async (options: RoutesOptions) => {
      const { inside } = await cli.load(options)
      const rows = routeTable(inside.routing)
      await cli.answer(options, rows, () =>
        options.mermaid
          ? routeMermaid(rows)
          : table(
              ['COMMAND', 'AGGREGATE', 'ROUTER', 'HANDLED BY', 'IDENTITY', 'PREFIX', 'MIDDLEWARE'],
              rows.map((row) => [
                ...[row.command, row.aggregate, row.router, row.handledBy, row.identity, row.prefix, row.middleware],
              ]),
            ),
      )
    })
}
