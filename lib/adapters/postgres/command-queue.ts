import type {
  ClaimCommandsOptions,
  ClaimedCommands,
  CommandCount,
  CommandQueueStore,
  CommandState,
  EnqueueResult,
  GroupHold,
  Lane as CommandLane,
  ListCommandsOptions,
  NewQueuedCommand,
  QueuedCommand,
  Settlement,
} from '../../event-store/command-queue-store.ts'
import { textArray } from './array-literal.ts'
import { claimedCommands, CLAIM_SQL, isToClaimAgain } from './command-claims.ts'
import { CommandEnqueuer } from './command-enqueuer.ts'
import { COUNT_SQL, listQuery, READ_SQL } from './command-list-query.ts'
import { commandOf } from './command-rows.ts'
import { CommandSettler } from './command-settler.ts'
import { writeCommands } from './command-writes.ts'
import type { Database, Parameter, Row } from './database.ts'
import { storeFailure } from './failure.ts'
import type { SchemaName } from './schema-name.ts'
import type { WakeUps } from './wake-ups.ts'

/** What of the queue is there while the store is open. */
export interface OpenCommandQueue {
  readonly database: Database
  readonly wakeUps: Pick<WakeUps, 'commandsChanged' | 'watchCommands'>
  readonly enqueuer: CommandEnqueuer
  readonly settler: CommandSettler
}

export function openCommandQueue(database: Database, schema: SchemaName, wakeUps: WakeUps): OpenCommandQueue {
  const changed = () => wakeUps.commandsChanged()
  return {
    database,
    wakeUps,
    enqueuer: new CommandEnqueuer(database, schema, changed),
    settler: new CommandSettler(database, schema, changed),
  }
}

/** Resolves when every write has been answered, and the connections are given back. */
export async function closeCommandQueue({ enqueuer, settler }: OpenCommandQueue): Promise<void> {
  await Promise.all([enqueuer.close(), settler.close()])
}

/** The commands of a store on PostgreSQL. Each operation is one statement. */
export class PostgresCommandQueue implements CommandQueueStore {
  readonly #opened: () => OpenCommandQueue
  readonly #schema: SchemaName

  constructor(opened: () => OpenCommandQueue, schema: SchemaName) {
    this.#opened = opened
    this.#schema = schema
  }

  enqueue(commands: readonly NewQueuedCommand[]): Promise<readonly EnqueueResult[]> {
    return this.#opened().enqueuer.enqueue(commands)
  }

  async claim({ owner, groups, commandsOfEach, lease }: ClaimCommandsOptions): Promise<ClaimedCommands> {
    const values = [owner, groups, commandsOfEach, lease]
    for (;;) {
      const rows = await this.#write('claim commands', CLAIM_SQL, values)
      if (!isToClaimAgain(rows)) return claimedCommands(rows)
      this.#opened().wakeUps.commandsChanged()
    }
  }

  async renew(owner: string, lease: number): Promise<readonly GroupHold[]> {
    const sql = 'SELECT stream_id, lane, epoch FROM "edict".renew_commands($1, $2)'
    const rows = await this.#write('renew the leases of commands', sql, [owner, lease])
    return rows.map(([streamId, lane, epoch]) => ({
      streamId: streamId as string,
      lane: Number(lane) as CommandLane,
      epoch: Number(epoch),
    }))
  }

  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    return this.#opened().settler.settle(settlements)
  }

  async read(commandIds: readonly string[]): Promise<readonly QueuedCommand[]> {
    const rows = await this.#read('read commands', READ_SQL, [textArray(commandIds)])
    return rows.map((row) => commandOf(row, 0))
  }

  async list(options: ListCommandsOptions = {}): Promise<readonly QueuedCommand[]> {
    const { sql, values } = listQuery(options)
    return (await this.#read('list commands', sql, values)).map((row) => commandOf(row, 0))
  }

  async count(states?: readonly CommandState[]): Promise<readonly CommandCount[]> {
    const rows = await this.#read('count commands', COUNT_SQL, [states === undefined ? null : textArray(states)])
    return rows.map(([state, lane, count, due]) => ({
      state: state as CommandState,
      lane: Number(lane) as CommandLane,
      count: Number(count),
      oldestDueAt: due === null ? undefined : Number(due),
    }))
  }

  cancel(commandIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#changed('cancel', 'SELECT to_json("edict".cancel_commands($1))', commandIds, [])
  }

  replay(commandIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#change('replay', commandIds)
  }

  discard(commandIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#change('discard', commandIds)
  }

  #change(change: string, commandIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#changed(change, 'SELECT to_json("edict".change_commands($2, $1))', commandIds, [change])
  }

  async #changed(
    change: string,
    sql: string,
    commandIds: readonly string[],
    values: readonly Parameter[],
  ): Promise<readonly boolean[]> {
    const [row] = await this.#write(`${change} commands`, sql, [textArray(commandIds), ...values])
    // A list of ids, as the function says. Of one that stands there twice the second finds it changed.
    const changed = new Set(JSON.parse(row?.[0] ?? '[]') as readonly string[])
    if (changed.size > 0) this.#opened().wakeUps.commandsChanged()
    return commandIds.map((commandId) => changed.delete(commandId))
  }

  async purge(olderThan: number, limit: number): Promise<number> {
    const [row] = await this.#write('purge commands', 'SELECT "edict".purge_commands($1, $2)', [olderThan, limit])
    return Number(row?.[0])
  }

  async now(): Promise<number> {
    const [row] = await this.#read('read the clock', 'SELECT "edict".now_ms()', [])
    return Number(row?.[0])
  }

  watch(listener: () => void): () => void {
    return this.#opened().wakeUps.watchCommands(listener)
  }

  #write(operation: string, sql: string, values: readonly Parameter[]): Promise<readonly Row[]> {
    return writeCommands(this.#opened().database, operation, this.#schema.sql(sql), values)
  }

  /** What only reads may be done again on another connection. */
  async #read(operation: string, sql: string, values: readonly Parameter[]): Promise<readonly Row[]> {
    try {
      return await this.#opened().database.read(this.#schema.sql(sql), values)
    } catch (thrown) {
      throw storeFailure(operation, thrown)
    }
  }
}
