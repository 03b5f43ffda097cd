import { Option, type Command } from 'commander'
import type { CliError } from './cli-error.ts'
import { notFound, usageError } from './cli-error.ts'
import type { Cli, CommonOptions, ConfirmedOptions } from './cli.ts'
import { choosing, commandsOf, commandsText, commandText, filterOf, type ChoosingOptions } from './queued-commands.ts'

interface WhichOptions extends ChoosingOptions, ConfirmedOptions {
  readonly all?: true
}

export function addDeadLetters(program: Command, cli: Cli): void {
  const letters = program
    .command('dead-letters')
    .description('queued commands that have failed for good: list, show, replay, discard')
  choosing(cli.command(letters, 'list', 'list them, with what they failed with')).action((options: ChoosingOptions) =>
    cli.withStore(options, async (loaded) => {
      const found = await commandsOf(loaded).deadLetters.list(filterOf(options))
      await cli.answer(options, found, () => commandsText(found))
    }),
  )
  cli.command(letters, 'show <command-id>', 'show one of them').action((commandId: string, options: CommonOptions) =>
    cli.withStore(options, async (loaded) => {
      const found = await commandsOf(loaded).deadLetters.get(commandId)
      if (found === undefined) throw unknown(commandId)
      await cli.answer(options, found, () => commandText(found))
    }),
  )
  which(cli.command(letters, 'replay [command-id]', 'queue dead letters anew, one or all that are chosen')).action(
    (commandId: string | undefined, options: WhichOptions) =>
      cli.withStore(options, async (loaded) => {
        const replayed = await commandsOf(loaded).deadLetters.replay(chosen(commandId, options))
        if (replayed === 0 && commandId !== undefined) throw unknown(commandId)
        await cli.answer(options, { replayed }, () => `${replayed} queued anew\n`)
      }),
  )
  which(cli.destructive(letters, 'discard [command-id]', 'give dead letters up, one or all that are chosen')).action(
    (commandId: string | undefined, options: WhichOptions) =>
      cli.withStore(options, async (loaded) => {
        const selection = chosen(commandId, options)
        await cli.confirm(options, `${commandId ?? 'what is chosen of the dead letters'} is given up for good`)
        const discarded = await commandsOf(loaded).deadLetters.discard(selection)
        if (discarded === 0 && commandId !== undefined) throw unknown(commandId)
        await cli.answer(options, { discarded }, () => `${discarded} discarded\n`)
      }),
  )
}

function which(command: Command): Command {
  return choosing(command).addOption(new Option('--all', 'all of them'))
}

/** Nothing at all does not mean everything. */
function chosen(commandId: string | undefined, options: WhichOptions) {
  const filter = filterOf(options)
  const chooses = Object.keys(filter).length > 0
  if (commandId !== undefined) {
    if (chooses || options.all) throw usageError('one command, or those that the options choose: not both')
    return commandId
  }
  if (!chooses && !options.all)
    throw usageError('which? Name a command, choose by --type, --stream and so on, or say --all')
  return filter
}

function unknown(commandId: string): CliError {
  return notFound(`there is no dead letter ${commandId}`)
}
