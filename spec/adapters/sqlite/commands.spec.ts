import { describe, expect, it } from '@jest/globals'
import { commandsOf } from '../../../lib/event-store/checked-command-queue-store.ts'
import type { NewQueuedCommand } from '../../../lib/event-store/command-queue-store.ts'
import {
  BEHIND_BLOCKER_SQL,
  NEXT_DUE_SQL,
  NEXT_LEASE_SQL,
  OF_GROUP_SQL,
  RUNNING_OF_GROUP_SQL,
  TO_COME_SQL,
} from '../../../lib/adapters/sqlite/command-claims.ts'
import { DUE_GROUPS_SQL, EXPIRED_GROUPS_SQL, FIRST_OF_GROUP_SQL } from '../../../lib/adapters/sqlite/command-groups.ts'
import { LATE_SQL, OF_COMMAND_ID_SQL, OF_KEY_SQL, OVER_SQL } from '../../../lib/adapters/sqlite/command-queue.ts'
import { CLAIMABLE_SQL, listQuery, OPEN_COUNTS_SQL } from '../../../lib/adapters/sqlite/command-reader.ts'
import { commitsInLog } from './commits.ts'
import { OpenStores } from './open-stores.ts'
import { planOf } from './query-plan.ts'

const stores = new OpenStores()

function command(commandId: string, streamId = 'account-1'): NewQueuedCommand {
  return {
    ...{ commandId, streamId, type: 'DepositMoney', data: '{}', contentType: 'application/json', lane: 1, depth: 0 },
    ...{ correlationId: commandId, causationId: commandId, fingerprint: 'the same', createdAt: 0, metadata: {} },
    ...{ tenant: undefined, idempotencyKey: undefined, notBefore: undefined, delay: undefined, deadline: undefined },
    ...{ strict: false, byCaller: false, options: {} },
  }
}

const claim = { owner: 'one', groups: 100, commandsOfEach: 100, lease: 60_000 }

const ofGroup = 'edict_commands USING INDEX edict_commands_of_group (stream_id=? AND lane=?'
const queries: readonly (readonly [what: string, sql: string, by: string])[] = [
  ['a command by its id', OF_COMMAND_ID_SQL, 'sqlite_autoindex_edict_commands_1 (command_id=?)'],
  ['a command by its key', OF_KEY_SQL, 'edict_commands_of_key (<expr>=? AND idempotency_key=?)'],
  ['the groups that are due', DUE_GROUPS_SQL, 'edict_command_groups_due'],
  ['the groups whose leases have run out', EXPIRED_GROUPS_SQL, 'edict_command_groups_held (expires_at<?)'],
  ['the first command of a group', FIRST_OF_GROUP_SQL, ofGroup],
  ['the commands of a group', OF_GROUP_SQL, ofGroup],
  ['those that are running', RUNNING_OF_GROUP_SQL, ofGroup],
  ['what keeps them waiting', BEHIND_BLOCKER_SQL, ofGroup],
  ['the commands whose time has come', TO_COME_SQL, 'edict_commands_to_come (due_at<?)'],
  ['the next of them', NEXT_DUE_SQL, 'edict_commands_to_come'],
  ['the next lease', NEXT_LEASE_SQL, 'edict_command_groups_held'],
  ['those that nobody has begun in time', LATE_SQL, 'edict_commands_expiring (expires_at>? AND expires_at<?)'],
  ['what can be purged', OVER_SQL, 'edict_commands_over (changed_at<?)'],
  ['dead letters', listQuery({ states: ['dead'] }, 0).sql, 'edict_commands_by_state (state=? AND position>?)'],
  ['a correlation', listQuery({ correlationId: 'a' }, 0).sql, 'edict_commands_of_correlation (correlation_id=?'],
  ['the counts of what is not over', OPEN_COUNTS_SQL, 'COVERING INDEX edict_commands_by_state'],
]

describe('the commands of sqliteEventStore', () => {
  it.each(queries)('are read by an index that leaves out what is over: %s', async (_what, sql, by) => {
    const plan = await planOf(stores, sql)
    expect(plan.join('\n')).toContain(by)
    // An index that leaves out what is over may be gone through in its order.
    expect(plan.filter((detail) => detail.startsWith('SCAN') && !detail.includes('INDEX edict_'))).toEqual([])
  })

  it('look for something to claim in indexes only', async () => {
    const plan = await planOf(stores, CLAIMABLE_SQL)
    expect(plan.filter((detail) => / edict_/.test(detail) && !/INDEX edict_/.test(detail))).toEqual([])
  })

  it('are stored together, and claimed and settled by one commit each', async () => {
    const { path } = stores.file()
    const queue = commandsOf(await stores.open(path))
    const before = commitsInLog(path)
    await Promise.all(
      Array.from({ length: 16 }, async (_, index) => queue.enqueue([command(`${index}`, `a-${index}`)])),
    )
    expect(commitsInLog(path) - before).toBe(1)
    const { claims } = await queue.claim(claim)
    expect(commitsInLog(path) - before).toBe(2)
    const ended = (hold: (typeof claims)[number]) =>
      hold.commands.map(({ commandId }) => ({ commandId, hold, state: 'completed', result: 1 }) as const)
    const answers = await Promise.all(claims.map(async (hold) => queue.settle(ended(hold))))
    expect(answers.flat()).toEqual(Array.from({ length: 16 }, () => true))
    expect(commitsInLog(path) - before).toBe(3)
  })

  it('write nothing for one who comes too early', async () => {
    const { path } = stores.file()
    const queue = commandsOf(await stores.open(path))
    await queue.enqueue([{ ...command('later'), delay: 60_000 }, command('now', 'account-2')])
    await queue.claim({ ...claim, owner: 'two' })
    const before = commitsInLog(path)
    const { claims, nextIn } = await queue.claim(claim)
    expect([claims, nextIn !== undefined && nextIn > 0]).toEqual([[], true])
    expect(commitsInLog(path) - before).toBe(0)
  })

  it('keep nothing of a group in which there is nothing to do', async () => {
    const { path } = stores.file()
    const queue = commandsOf(await stores.open(path))
    await queue.enqueue([command('1'), command('2', 'account-2')])
    const { claims } = await queue.claim(claim)
    await queue.settle(
      claims.map((hold, index) => ({ commandId: `${index + 1}`, hold, state: 'completed', result: undefined })),
    )
    expect(stores.connect(path).prepare('SELECT count(*) FROM edict_command_groups').pluck().get()).toBe(0)
  })

  it('come along where a file of the version before is opened', async () => {
    const { path } = stores.file()
    await (await stores.open(path)).close()
    const file = stores.connect(path)
    file.exec('DROP TABLE edict_commands; DROP TABLE edict_command_groups')
    file.pragma('user_version = 1')
    const queue = commandsOf(await stores.open(path))
    expect(await queue.enqueue([command('1')])).toMatchObject([{ status: 'enqueued' }])
  })
})
