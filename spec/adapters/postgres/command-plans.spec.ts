import { beforeAll, describe, expect, it } from '@jest/globals'
import { commandsOf } from '../../../lib/event-store/checked-command-queue-store.ts'
import type { CommandQueueStore, GroupClaim } from '../../../lib/event-store/command-queue-store.ts'
import { testDatabase, textCommand, until } from './test-database.ts'

/** Of each kind: over, and waiting in few groups. */
const COMMANDS = 10_000
/** More often than PostgreSQL makes a plan anew for a function's statements. */
const TIMES = 8
const declined = { code: 'card_declined', message: 'declined', name: 'Error' }

describe('among 10,000 commands that are over and 10,000 that wait, postgresEventStore', () => {
  const database = testDatabase()
  const schema = 'command_plans'
  const sql = (text: string) => database.sql(text.replaceAll('edict.', `${schema}.`))

  beforeAll(async () => {
    const store = database.make({ schema })
    await store.migrate()
    await sql(
      `INSERT INTO edict.commands (position, enqueued_at, created_at, depth, lane, data_format, strict, by_caller, command_id, type,
         stream_id, fingerprint, content_type, metadata, options, data)
       SELECT n, 0, 0, 0, 1, 0, false, false, 'command-' || n, 'DepositMoney', 'account-' || n % 10, 'the same', 'application/json',
         '{}', '{}', '{}'
       FROM generate_series(1, ${2 * COMMANDS}) n`,
    )
    await sql(
      `INSERT INTO edict.command_outcomes (position, due_at, changed_at, attempts, lane, state)
       SELECT n, 0, n, 0, 1, CASE WHEN n % 100 = 0 THEN 'dead' ELSE 'completed' END FROM generate_series(1, ${COMMANDS}) n`,
    )
    await sql(
      `INSERT INTO edict.command_queue (position, due_at, changed_at, attempts, lane, waiting, state, stream_id)
       SELECT n, 0, n, 0, 1, false, 'queued', 'account-' || n % 10 FROM generate_series(${COMMANDS + 1}, ${2 * COMMANDS}) n`,
    )
    await sql(
      `INSERT INTO edict.command_groups (stream_id, lane, ready)
       SELECT 'account-' || n % 10, 1, n FROM generate_series(${COMMANDS + 1}, ${COMMANDS + 10}) n`,
    )
    await sql(`SELECT setval('edict.command_position', ${2 * COMMANDS})`)
    for (const table of ['commands', 'command_outcomes', 'command_queue', 'command_groups']) {
      await sql(`ANALYZE edict.${table}`)
    }
  }, 120_000)

  /** How many rows of the tables were read since they were made, by an index or by going through a table. */
  async function read(): Promise<{ byIndex: number; through: number }> {
    const [row] = await sql(
      `SELECT sum(coalesce(idx_tup_fetch, 0)) AS index, sum(seq_tup_read) AS seq FROM pg_stat_user_tables
       WHERE schemaname = '${schema}' AND relname LIKE 'command%'`,
    )
    return { byIndex: Number(row?.['index']), through: Number(row?.['seq']) }
  }

  const ended = ({ commands, ...hold }: GroupClaim, state: 'completed' | 'dead' | 'delayed') =>
    commands.map(({ commandId }) => {
      if (state === 'completed') return { commandId, hold, state, result: undefined }
      return {
        commandId,
        hold,
        failure: declined,
        ...(state === 'dead' ? { state, failed: true } : { state, delay: 0 }),
      }
    })

  async function work(queue: CommandQueueStore, round: number): Promise<void> {
    const streamId = `account-${round % 10}`
    await queue.enqueue([
      textCommand(`new-${round}`, { streamId }),
      textCommand(`old-${round}`, { delay: 0, streamId }),
    ])
    await queue.enqueue([textCommand('command-7'), textCommand(`command-${COMMANDS + 7}`)])
    const claim = async (owner: string, lease = 60_000) =>
      (await queue.claim({ owner, groups: 2, commandsOfEach: 3, lease })).claims
    const [one, two] = await claim('one')
    expect([one?.commands.length, two?.commands.length]).toEqual([3, 3])
    await queue.settle(ended(one!, 'completed'))
    await queue.settle(ended(two!, round % 2 === 0 ? 'dead' : 'delayed'))
    const gone = await claim('gone', 1)
    expect(gone).toHaveLength(2)
    await queue.renew('nobody', 60_000)
    await queue.renew('gone', 1)
    await until(async () => (await queue.now()) > (gone[0]?.commands[0]?.changedAt ?? 0) + 10)
    for (const again of await claim('heir')) await queue.settle(ended(again, 'completed'))
    await queue.read([`command-${round}`, `new-${round}`])
    await queue.list({ states: ['dead'], limit: 5 })
    await queue.replay([`command-${round * 100}`])
    await queue.discard([`command-${(round + TIMES) * 100}`])
    await queue.cancel([`command-${2 * COMMANDS - round}`])
    expect(await queue.purge(0, 5)).toBe(5)
  }

  it('gets at all that it needs by indexes, and at little of it', async () => {
    const before = await read()
    // On one connection, so that each statement is planned as often as it takes.
    const store = database.make({ schema, maxConnections: 1, listen: false })
    await store.open()
    for (let round = 1; round <= TIMES; round++) await work(commandsOf(store), round)
    // A connection tells what it has read at its end.
    await store.close()
    await until(async () => (await read()).byIndex > before.byIndex)
    const after = await read()
    expect(after.through - before.through).toBe(0)
    expect(after.byIndex - before.byIndex).toBeLessThan(TIMES * 2_000)
  })
})
