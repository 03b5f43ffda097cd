import { InvalidArgumentError, type Command } from 'commander'
import type { CommandState } from '../event-store/command-queue-store.ts'
import { COMMAND_STATES } from '../event-store/command-states.ts'
import type { QueueDepth } from '../queue/queued-commands.ts'
import { list } from './arguments.ts'
import { CliError, notFound } from './cli-error.ts'
import type { Cli, CommonOptions, ConfirmedOptions } from './cli.ts'
import { choosing, commandsOf, commandsText, commandText, filterOf, type ChoosingOptions } from './queued-commands.ts'
import { duration, fields } from './table.ts'

interface ListOptions extends ChoosingOptions {
  readonly state?: readonly CommandState[]
}

export function addCommands(program: Command, cli: Cli): void {
  const commands = program.command('commands').description('queued commands: list, depth, status, cancel')
  choosing(
    cli
      .command(commands, 'list', 'list stored commands, in the order in which they were stored')
      .option('--state <states>', `only in these states: ${COMMAND_STATES.join(', ')}`, states),
  ).action((options: ListOptions) =>
    cli.withStore(options, async (loaded) => {
      const { state } = options
      const found = await commandsOf(loaded).list({ ...filterOf(options), ...(state && { states: state }) })
      await cli.answer(options, found, () => commandsText(found))
    }),
  )
  cli.command(commands, 'depth', 'how many wait, and for how long').action((options: CommonOptions) =>
    cli.withStore(options, async (loaded) => {
      const depth = await commandsOf(loaded).depth()
      await cli.answer(options, depth, () => depthText(depth))
    }),
  )
  cli.command(commands, 'status <command-id>', 'show one of them').action((commandId: string, options: CommonOptions) =>
    cli.withStore(options, async (loaded) => {
      const found = await commandsOf(loaded).get(commandId)
      if (found === undefined) throw unknown(commandId)
      await cli.answer(options, found, () => commandText(found))
    }),
  )
  cli
    .destructive(commands, 'cancel <command-id>', 'take one back that is not run yet')
    .action((commandId: string, options: ConfirmedOptions) =>
      cli.withStore(options, async (loaded) => {
        const found = await commandsOf(loaded).get(commandId)
        if (found === undefined) throw unknown(commandId)
        await cli.confirm(options, `the ${found.type} ${commandId} is never run`)
        if (!(await commandsOf(loaded).cancel(commandId))) {
          const now = await commandsOf(loaded).get(commandId)
          throw new CliError(`${commandId} cannot be cancelled: it is ${now?.state ?? 'gone'}`)
        }
        await cli.answer(options, { commandId, cancelled: true }, () => `${commandId} is cancelled\n`)
      }),
    )
}

function unknown(commandId: string): CliError {
  return notFound(`there is no stored command ${commandId}; those that are over are forgotten after a while`)
}

function states(text: string, before: readonly CommandState[] = []): readonly CommandState[] {
  return list(text).reduce<readonly CommandState[]>((all, state) => {
    if (!isState(state)) throw new InvalidArgumentError(`There is no state ${state}.`)
    return [...all, state]
  }, before)
}

function isState(text: string): text is CommandState {
  return (COMMAND_STATES as readonly string[]).includes(text)
}

function depthText({ states, priorities, oldestAge }: QueueDepth): string {
  const { high, normal, low } = priorities
  return fields([
    ...Object.entries(states),
    ['due or running', `high ${high}, normal ${normal}, low ${low}`],
    ['oldest waits for', duration(oldestAge)],
  ])
}
