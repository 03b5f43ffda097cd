import { describe, expect, it } from '@jest/globals'
import type { CommandQueueStore, GroupClaim, Settlement } from '../../../lib/event-store/command-queue-store.ts'
import { commandsOf } from '../../../lib/event-store/checked-command-queue-store.ts'
import { testDatabase, textCommand, until } from './test-database.ts'

const range = (count: number) => Array.from({ length: count }, (_, index) => index)
const declined = { code: 'card_declined', message: 'declined', name: 'Error' }

describe('the commands of postgresEventStore', () => {
  const database = testDatabase()
  const open = async () => commandsOf(await database.open())

  /** Which transaction wrote each row: as many as there were commits. */
  const commits = async (table: string) =>
    Number((await database.sql(`SELECT count(DISTINCT xmin::text) AS commits FROM edict.${table}`))[0]?.['commits'])

  const claim = async (queue: CommandQueueStore, owner = 'one', lease = 60_000) =>
    (await queue.claim({ owner, groups: 100, commandsOfEach: 100, lease })).claims

  const ended = ({ commands, ...hold }: GroupClaim): Settlement[] =>
    commands.map(({ commandId }) => ({ commandId, hold, state: 'completed', result: undefined }))

  it('are stored together where they come while others are stored', async () => {
    const queue = await open()
    const answers = await Promise.all(range(65).map(async (n) => queue.enqueue([textCommand(`${n}`)])))
    expect(answers.flat().map(({ status }) => status)).toEqual(range(65).map(() => 'enqueued'))
    expect(await commits('commands')).toBe(2)
    expect((await queue.list()).map(({ commandId }) => commandId)).toEqual(range(65).map(String))
  })

  it('are ended together where they end while others are ended', async () => {
    const queue = await open()
    await queue.enqueue(range(65).map((n) => textCommand(`${n}`, { streamId: `account-${n % 10}` })))
    const claims = await claim(queue)
    const answers = await Promise.all(claims.flatMap(ended).map(async (settlement) => queue.settle([settlement])))
    expect(answers.flat()).toEqual(range(65).map(() => true))
    expect(await commits('command_outcomes')).toBe(2)
  })

  it('of a batch are each answered by itself, in the place where it stood', async () => {
    const queue = await open()
    await queue.enqueue([textCommand('known'), textCommand('given up')])
    await queue.cancel(['given up'])
    const calls = ['first', 'known', 'given up', 'other', 'last'].map((commandId) =>
      textCommand(commandId === 'other' ? 'known' : commandId, commandId === 'other' ? { fingerprint: 'another' } : {}),
    )
    const answers = await queue.enqueue(calls)
    expect(answers.map(({ status }) => status)).toEqual(['enqueued', 'known', 'enqueued', 'duplicate', 'enqueued'])
    expect((await claim(queue))[0]?.commands.map(({ commandId }) => commandId)).toEqual([
      ...['known', 'first', 'given up', 'last'],
    ])
  })

  it('are stored once where several nodes store the same ones at once, in whatever order', async () => {
    const nodes = [await open(), await open()]
    const commands = range(40).map((n) => textCommand(`${n}`, { streamId: `account-${n % 7}` }))
    const [some = [], others = []] = await Promise.all(
      nodes.map(async (queue, node) => queue.enqueue(node === 0 ? commands : commands.toReversed())),
    )
    const statuses = [...some, ...others].map(({ status }) => status)
    expect(statuses.filter((status) => status === 'enqueued')).toHaveLength(40)
    expect(statuses.filter((status) => status === 'known')).toHaveLength(40)
    expect((await claim(nodes[0]!)).flatMap(({ commands: claimed }) => claimed)).toHaveLength(40)
  })

  it('wake those who watch on this node and on another, when they come and when they end', async () => {
    const [here, there] = [await open(), await open()]
    const woken = [0, 0]
    here.watch(() => woken[0]!++)
    there.watch(() => woken[1]!++)
    // Each is woken once when it begins to listen, and from then on by what happens.
    await until(() => woken.every((times) => times > 0))
    const before = [...woken]
    await here.enqueue([textCommand('one')])
    await until(() => woken.every((times, node) => times > before[node]!))
    const [claimed] = await claim(there)
    const seen = [...woken]
    await there.settle(ended(claimed!))
    await until(() => woken.every((times, node) => times > seen[node]!))
  })

  it('that are over leave nothing where claims look', async () => {
    const queue = await open()
    await queue.enqueue(range(9).map((n) => textCommand(`${n}`, { streamId: `account-${n % 3}`, strict: n === 0 })))
    const [first, ...others] = await claim(queue)
    await queue.settle(others.flatMap(ended))
    await queue.settle(
      ended(first!).map(({ commandId, hold }) => ({ commandId, hold, state: 'dead', failure: declined, failed: true })),
    )
    expect(await database.sql('SELECT position FROM edict.command_blockers')).toHaveLength(1)
    await queue.discard(['0', '3', '6'])
    for (const table of ['command_queue', 'command_groups', 'command_blockers']) {
      expect(await database.sql(`SELECT * FROM edict.${table}`)).toEqual([])
    }
  })

  it('give those that a dead owner had claimed behind a strict one back to wait for that one', async () => {
    const queue = await open()
    await queue.enqueue([textCommand('1', { strict: true }), textCommand('2')])
    const [gone] = await claim(queue, 'gone', 25)
    const { commands: _, ...hold } = gone!
    await queue.settle([{ commandId: '1', hold, state: 'delayed', failure: declined, delay: 60_000 }])
    await until(async () => {
      expect(await claim(queue)).toEqual([])
      return (await queue.read(['2']))[0]?.state === 'queued'
    })
    expect((await queue.read(['2']))[0]).toMatchObject({ attempts: 0 })
    await queue.cancel(['1'])
    expect((await claim(queue)).flatMap(({ commands }) => commands.map(({ commandId }) => commandId))).toEqual(['2'])
  })
})
