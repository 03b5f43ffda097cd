import type { EnqueueResult, NewQueuedCommand, QueuedCommand } from '../../event-store/command-queue-store.ts'
import { numberArray } from './array-literal.ts'
import { Coalescer } from './coalescer.ts'
import { READ_AT_SQL } from './command-list-query.ts'
import { ENQUEUE_EXPIRING_SQL, ENQUEUE_SQL, enqueueParameters } from './command-parameters.ts'
import { commandOf } from './command-rows.ts'
import { isOfOneCommand, writeCommands } from './command-writes.ts'
import type { Database } from './database.ts'
import { storeFailure } from './failure.ts'
import { Lane } from './lane.ts'
import type { SchemaName } from './schema-name.ts'

const MOST_COMMANDS = 512
const MOST_CHARACTERS = 4_000_000
/** What a command takes beside its data. */
const CHARACTERS_OF_ITS_OWN = 500

const EXPIRE_SQL = 'SELECT "edict".expire_commands("edict".now_ms(), $1, NULL)'

/** Where a command is stored, or where the one that was stored before it. */
interface Stored {
  readonly position: number
  readonly status: EnqueueResult['status']
}

const STATUSES: Readonly<Record<string, EnqueueResult['status']>> = { e: 'enqueued', k: 'known', d: 'duplicate' }

/** Stores commands, those that are given meanwhile together. */
export class CommandEnqueuer {
  readonly #database: Database
  readonly #lane: Lane
  readonly #sql: string
  readonly #expiringSql: string
  readonly #expireSql: string
  readonly #readSql: string
  readonly #changed: () => void
  readonly #coalescer: Coalescer<NewQueuedCommand, Stored>
  /** Calls that are not answered yet. */
  readonly #calls = new Set<Promise<unknown>>()

  constructor(database: Database, schema: SchemaName, changed: () => void) {
    this.#database = database
    this.#lane = new Lane(database)
    this.#sql = schema.sql(ENQUEUE_SQL)
    this.#expiringSql = schema.sql(ENQUEUE_EXPIRING_SQL)
    this.#expireSql = schema.sql(EXPIRE_SQL)
    this.#readSql = schema.sql(READ_AT_SQL)
    this.#changed = changed
    this.#coalescer = new Coalescer({
      send: (commands) => this.#send(commands),
      isOfOne: isOfOneCommand,
      keyOf: ({ commandId }) => commandId,
      // Data is text or bytes, as the checks before have seen.
      sizeOf: ({ data }) => (data as string | Uint8Array).length + CHARACTERS_OF_ITS_OWN,
      most: { items: MOST_COMMANDS, size: MOST_CHARACTERS },
    })
  }

  enqueue(commands: readonly NewQueuedCommand[]): Promise<readonly EnqueueResult[]> {
    const call = this.#enqueueAll(commands).finally(() => this.#calls.delete(call))
    this.#calls.add(call)
    return call
  }

  async #enqueueAll(commands: readonly NewQueuedCommand[]): Promise<readonly EnqueueResult[]> {
    const results: EnqueueResult[] = []
    for (const part of withoutRepeats(commands)) results.push(...(await this.#enqueue(part)))
    return results
  }

  async close(): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls)
    this.#lane.close()
  }

  async #enqueue(commands: readonly NewQueuedCommand[]): Promise<readonly EnqueueResult[]> {
    const stored = await this.#coalescer.add(commands)
    const before = stored.filter(({ status }) => status !== 'enqueued').map(({ position }) => position)
    const found = before.length === 0 ? new Map<number, QueuedCommand>() : await this.#read(before)
    const results: EnqueueResult[] = []
    for (const [index, command] of commands.entries()) {
      // There is one for each.
      const { status, position } = stored[index] as Stored
      if (status === 'enqueued') {
        results.push({ status, position, commandId: command.commandId })
        continue
      }
      const known = found.get(position)
      if (status === 'known' && known?.state === 'expired')
        results.push(...(await this.#enqueueAnew(command, position)))
      else if (known !== undefined) results.push({ status, command: known })
      // It was there, and is not any more.
      else results.push(...(await this.#enqueue([command])))
    }
    return results
  }

  /** Nobody has come by since the deadline of the one before. */
  async #enqueueAnew(command: NewQueuedCommand, before: number): Promise<readonly EnqueueResult[]> {
    await writeCommands(this.#database, 'expire commands', this.#expireSql, [numberArray([before])])
    return this.#enqueue([command])
  }

  async #read(positions: readonly number[]): Promise<ReadonlyMap<number, QueuedCommand>> {
    try {
      const rows = await this.#database.read(this.#readSql, [numberArray(positions)])
      const commands = rows.map((row) => commandOf(row, 0))
      return new Map(commands.map((command) => [command.position, command]))
    } catch (thrown) {
      throw storeFailure('read what was enqueued before', thrown, 'unknown')
    }
  }

  async #send(commands: readonly NewQueuedCommand[]): Promise<readonly Stored[]> {
    try {
      const sql = commands.some(({ deadline }) => deadline !== undefined) ? this.#expiringSql : this.#sql
      const [row] = await writeCommands(this.#lane, 'enqueue commands', sql, enqueueParameters(commands))
      // Lists, as the function says.
      const positions = JSON.parse(row?.[0] ?? '[]') as readonly number[]
      const statuses = JSON.parse(row?.[1] ?? '[]') as readonly string[]
      const stored = positions.map((position, index) => ({
        position,
        status: STATUSES[statuses[index] ?? 'e'] ?? 'enqueued',
      }))
      if (stored.some(({ status }) => status === 'enqueued')) this.#changed()
      return stored
    } finally {
      this.#lane.rest()
    }
  }
}

/** The commands in parts, in none of which an id or a key stands twice: what becomes of the first decides about the second. */
function withoutRepeats(commands: readonly NewQueuedCommand[]): readonly (readonly NewQueuedCommand[])[] {
  const parts: NewQueuedCommand[][] = []
  let seen = new Set<string>()
  for (const command of commands) {
    const { commandId, tenant = '', idempotencyKey } = command
    const names = [commandId, ...(idempotencyKey === undefined ? [] : [`${tenant} ${idempotencyKey} `])]
    const last = parts.at(-1)
    if (last === undefined || names.some((name) => seen.has(name))) {
      parts.push([command])
      seen = new Set(names)
    } else {
      last.push(command)
      for (const name of names) seen.add(name)
    }
  }
  return parts
}
