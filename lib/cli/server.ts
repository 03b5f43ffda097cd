import { Option, type Command } from 'commander'
import { seconds, wholeNumber } from './arguments.ts'
import type { Cli } from './cli.ts'
import { LEVELS } from './json-log.ts'
import { serve } from './serve.ts'
import type { ServerOptions } from './server-options.ts'
import { supervise } from './supervise.ts'
import { supervisor } from './worker-channel.ts'

export function addServer(program: Command, cli: Cli): void {
  cli
    .command(program, 'server', 'run queued commands, event handlers and process managers until SIGTERM')
    .option(
      '--workers <count>',
      'so many processes, watched over by this one; this one alone if left out',
      wholeNumber(1),
    )
    .option(
      '--concurrency <count>',
      'of so many aggregates each process runs queued commands at once',
      wholeNumber(0),
      10,
    )
    .option('--port <port>', 'answers /health/live and /health/ready there; 0 takes a free one', wholeNumber(0))
    .option('--host <address>', 'where it listens for that', '127.0.0.1')
    .option('--drain-timeout <seconds>', 'wait so long for what is under way when it is to end', seconds, 30_000)
    .addOption(new Option('--log-level <level>', 'the least important that is logged').choices(LEVELS).default('info'))
    .action(async (options: ServerOptions) => {
      const parent = supervisor()
      cli.exitCode =
        options.workers === undefined || parent !== undefined
          ? await serve(cli, options, parent)
          : await supervise(cli, options, options.workers)
    })
}
