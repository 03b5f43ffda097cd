import { Option, type Command } from 'commander'
import { usageError } from './cli-error.ts'
import type { Cli, CommonOptions } from './cli.ts'

interface MigrateOptions extends CommonOptions {
  readonly sql?: true
}

/** What a store has that can be migrated without being opened. */
interface Migrated {
  migrate(): Promise<void>
  migrationSql(): Promise<string>
}

export function addMigrate(program: Command, cli: Cli): void {
  cli
    .command(program, 'migrate', "bring the event store's tables up to date")
    .addOption(new Option('--sql', 'only print what would be run on an empty database').conflicts('json'))
    .action(async (options: MigrateOptions) => {
      const { store } = (await cli.load(options)).inside
      if (options.sql) {
        if (!isMigrated(store))
          throw usageError(`the ${store.name} event store has no SQL that could be run by other means`)
        return cli.terminal.write(await store.migrationSql())
      }
      if (isMigrated(store)) await store.migrate()
      else {
        // The others are brought up to date by being opened.
        await store.open()
        await store.close()
      }
      await cli.answer(
        options,
        { store: store.name, migrated: true },
        () => `the ${store.name} event store is up to date\n`,
      )
    })
}

function isMigrated(store: object): store is Migrated {
  return 'migrate' in store && 'migrationSql' in store
}
