import { InvalidOptionError } from '../../errors.ts'
import { shown } from '../../event-store/argument-checks.ts'

/** As the migrations' files name the schema. */
const PLACEHOLDER = '"edict"'
/** PostgreSQL cuts a name after 63 bytes, and the name of the channel is longer by a few. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/

/** The schema that a store's tables are in, checked, so that it can stand in SQL. */
export class SchemaName {
  readonly name: string
  /** As it stands in SQL. */
  readonly quoted: string
  /** On which those who listen are told of appends. */
  readonly channel: string
  /** The same, of queued commands. */
  readonly commandsChannel: string

  /** @throws {InvalidOptionError} `invalid_option` */
  constructor(where: string, name: unknown) {
    if (typeof name !== 'string' || !NAME.test(name) || name.toLowerCase().startsWith('pg_')) {
      throw new InvalidOptionError(
        `${where}: schema must be of 1 to 40 letters, digits and underscores, begin with no digit and not with pg_, not ${shown(name)}`,
      )
    }
    this.name = name
    this.quoted = `"${name}"`
    this.channel = `edict_${name}_appended`
    this.commandsChannel = `edict_${name}_commands`
  }

  /** SQL as it is for this schema, where it names the schema "edict". */
  sql(text: string): string {
    return text.replaceAll(PLACEHOLDER, this.quoted)
  }
}
