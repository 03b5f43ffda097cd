import type { CommandCount, CommandState } from '../../event-store/command-queue-store.ts'
import { allSettled, assert, assertEqual, eventually, range } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'
import { declined, idsOf, LONG_LEASE_MS, queueCase } from './queue-under-test.ts'
import type { QueueUnderTest } from './queue-under-test.ts'

/** One command in each state, of a stream of its own by its name, and in this order. */
async function oneOfEach(queued: QueueUnderTest): Promise<readonly CommandState[]> {
  const failed = { failure: declined, failed: true }
  const end = async (commandId: CommandState) => {
    await queued.put(commandId, commandId)
    return { commandId, hold: await queued.claimOne() }
  }
  await queued.end({ ...(await end('completed')), state: 'completed', result: 1 })
  await queued.end({ ...(await end('rejected')), state: 'rejected', ...failed })
  await queued.end({ ...(await end('dead')), state: 'dead', ...failed })
  await queued.end({ ...(await end('expired')), state: 'expired', failure: declined })
  await queued.end({ ...(await end('discarded')), state: 'dead', ...failed })
  await queued.queue.discard(['discarded'])
  await queued.put('cancelled', 'cancelled')
  await queued.queue.cancel(['cancelled'])
  await queued.put('delayed', 'delayed', { delay: LONG_LEASE_MS })
  await end('running')
  await queued.put('queued', 'queued')
  return [
    ...(['completed', 'rejected', 'dead', 'expired', 'discarded', 'cancelled'] as const),
    ...(['delayed', 'running', 'queued'] as const),
  ]
}

const byState = (counts: readonly CommandCount[]) =>
  [...counts].sort((one, other) => (`${one.state}${one.lane}` < `${other.state}${other.lane}` ? -1 : 1))

export const keepingCommands: CaseGroup = {
  name: 'keeping commands',
  cases: [
    queueCase('takes back what has not begun, once, and nothing else', async (queued) => {
      const states = await oneOfEach(queued)
      const answers = await queued.queue.cancel([...states, 'nobody'])
      const cancelled = states.filter((_, index) => answers[index])
      assertEqual([cancelled, answers.at(-1)], [['delayed', 'queued'], false], 'what was taken back')
      assertEqual(await queued.queue.cancel(['queued', 'delayed']), [false, false], 'the second answer')
      for (const commandId of cancelled) assertEqual(await queued.state(commandId), 'cancelled', 'the state')
      await queued.assertClaim([])
    }),
    queueCase('either takes a command back or gives it to a worker', async (queued) => {
      await queued.queue.enqueue(range(1, 40).map((number) => queued.command(`${number}`, `account-${number}`)))
      const claiming = range(1, 8).map(async (number) =>
        queued.queue.claim({
          ...{ owner: `owner-${number}`, groups: 5, commandsOfEach: 1, lease: LONG_LEASE_MS },
        }),
      )
      const cancelling = range(1, 40).map(async (number) => queued.queue.cancel([`${number}`]))
      const cancelled = (await allSettled(cancelling)).flatMap(([answer], index) => (answer ? [`${index + 1}`] : []))
      const claimed = (await allSettled(claiming)).flatMap((each) => idsOf(each).flat())
      const rest = idsOf(await queued.claim('the last one')).flat()
      const all = [...cancelled, ...claimed, ...rest].map(Number).sort((one, other) => one - other)
      assertEqual(all, range(1, 40), 'what was taken back, and what was claimed')
    }),
    queueCase('queues dead letters again in their places, with no attempts, and nothing else', async (queued) => {
      const states = await oneOfEach(queued)
      const before = await queued.read('dead')
      const answers = await queued.queue.replay([...states, 'nobody'])
      assertEqual(
        [...states, 'nobody'].filter((_, index) => answers[index]),
        ['dead'],
        'what was queued again',
      )
      const { state, attempts, position, failure, dueAt } = await queued.read('dead')
      assertEqual([state, attempts, position, failure], ['queued', 0, before.position, declined], 'what is stored')
      assert(dueAt >= before.changedAt, 'it is due since before it was dead')
      await queued.assertClaim([['dead'], ['queued']])
    }),
    queueCase('replays a dead letter before those that came later', async (queued) => {
      await queued.kill('1')
      await queued.put('2')
      await queued.queue.replay(['1'])
      await queued.assertClaim([['1', '2']])
    }),
    queueCase('replays a dead letter into a stream that is held, for whoever is next', async (queued) => {
      await queued.kill('1')
      await queued.put('2')
      const hold = await queued.claimOne()
      await queued.queue.replay(['1'])
      await queued.assertClaim([], 'two')
      await queued.complete(hold)
      await queued.assertClaim([['1']], 'two')
    }),
    queueCase('gives to workers what its caller ran, when it is replayed', async (queued) => {
      await queued.put('1', 'account-1', { byCaller: true })
      await queued.end({ commandId: '1', hold: undefined, state: 'dead', failure: declined, failed: true })
      assertEqual(await queued.queue.replay(['1']), [true], 'the replay')
      const hold = await queued.claimOne()
      assertEqual([hold.commands[0]?.commandId, hold.commands[0]?.byCaller], ['1', false], 'what was claimed')
      await queued.complete(hold)
    }),
    queueCase('gives up dead letters, and nothing else', async (queued) => {
      const states = await oneOfEach(queued)
      const answers = await queued.queue.discard([...states, 'nobody'])
      assertEqual(
        [...states, 'nobody'].filter((_, index) => answers[index]),
        ['dead'],
        'what was given up',
      )
      assertEqual(await queued.state('dead'), 'discarded', 'the state')
    }),
    queueCase('reads those that are there', async (queued) => {
      await queued.put('1')
      await queued.put('2')
      const found = await queued.queue.read(['2', 'nobody', '1', '2'])
      assertEqual(found.map(({ commandId }) => commandId).sort(), ['1', '2'], 'what was read')
      assertEqual(await queued.queue.read([]), [], 'the answer to nothing')
    }),
    queueCase('lists by state, type, stream, tenant and correlation, from a place on', async (queued) => {
      const { queue } = queued
      for (const number of range(1, 12)) {
        await queued.put(`${number}`, `account-${number % 2}`, {
          ...{
            type: number % 3 === 0 ? 'OpenAccount' : 'DepositMoney',
            tenant: number % 4 === 0 ? 'north' : undefined,
          },
          ...{ correlationId: `request-${number % 5}`, lane: 0 },
        })
      }
      await queue.cancel(['6', '7'])
      const listed = async (options?: Parameters<typeof queue.list>[0]) =>
        (await queue.list(options)).map(({ commandId }) => Number(commandId))
      const place = async (number: number) => (await queued.read(`${number}`)).position
      assertEqual(await listed(), range(1, 12), 'all')
      assertEqual(await listed({ states: ['cancelled'] }), [6, 7], 'by state')
      assertEqual(await listed({ states: ['queued', 'cancelled'] }), range(1, 12), 'by two states')
      assertEqual(await listed({ states: [] }), [], 'by no state')
      assertEqual(await listed({ types: ['OpenAccount'] }), [3, 6, 9, 12], 'by type')
      assertEqual(await listed({ types: ['OpenAccount', 'Unknown'], states: ['queued'] }), [3, 9, 12], 'by both')
      assertEqual(await listed({ types: [] }), [], 'by no type')
      assertEqual(await listed({ streamId: 'account-1' }), [1, 3, 5, 7, 9, 11], 'by stream')
      assertEqual(await listed({ tenant: 'north' }), [4, 8, 12], 'by tenant')
      assertEqual(await listed({ correlationId: 'request-2' }), [2, 7, 12], 'by correlation')
      assertEqual(await listed({ after: await place(9) }), [10, 11, 12], 'behind a position')
      assertEqual(await listed({ after: await place(2), limit: 3 }), [3, 4, 5], 'a page')
      assertEqual(
        await listed({ streamId: 'account-0', tenant: 'north', after: await place(4), limit: 1 }),
        [8],
        'by all',
      )
    }),
    queueCase('lists a hundred where nothing else is asked for', async (queued) => {
      await queued.queue.enqueue(range(1, 105).map((number) => queued.command(`${number}`)))
      assertEqual((await queued.queue.list()).length, 100, 'the number of commands')
      assertEqual((await queued.queue.list({ limit: 1_000 })).length, 105, 'the number of all')
    }),
    queueCase('counts by state and lane, and knows since when the oldest is due', async (queued) => {
      assertEqual(await queued.queue.count(), [], 'the counts of nothing')
      const states = await oneOfEach(queued)
      await queued.put('another', 'queued', { lane: 2 })
      await queued.put('younger', 'queued', { lane: 2 })
      const dueAt = async (commandId: string) => (await queued.read(commandId)).dueAt
      const expected: CommandCount[] = []
      for (const state of states) {
        const over = !['delayed', 'queued', 'running', 'dead'].includes(state)
        expected.push({ state, lane: 1, count: 1, oldestDueAt: over ? undefined : await dueAt(state) })
      }
      const others: CommandCount = { state: 'queued', lane: 2, count: 2, oldestDueAt: await dueAt('another') }
      assertEqual(byState(await queued.queue.count()), byState([...expected, others]), 'the counts')
      const some = await queued.queue.count(['queued', 'completed'])
      const wanted = expected.filter(({ state }) => state === 'queued' || state === 'completed')
      assertEqual(byState(some), byState([...wanted, others]), 'the counts of two states')
      assertEqual(await queued.queue.count([]), [], 'the counts of no state')
    }),
    queueCase('forgets what is over, and has been for so long', async (queued) => {
      const { queue } = queued
      const states = await oneOfEach(queued)
      assertEqual(await queue.purge(LONG_LEASE_MS, 100), 0, 'what has been over for a minute')
      await queued.pass(1)
      assertEqual(await queue.purge(0, 2), 2, 'the first two')
      assertEqual(await queue.purge(0, 100), 3, 'the others')
      const left = (await queue.list()).map(({ commandId }) => commandId)
      assertEqual(
        left,
        states.filter((state) => ['dead', 'delayed', 'running', 'queued'].includes(state)),
        'the rest',
      )
    }),
    queueCase('knows nothing more of an id or a key that it has forgotten', async (queued) => {
      const forgotten = await queued.put('1', 'account-1', { idempotencyKey: 'key' })
      await queued.complete(await queued.claimOne())
      await queued.pass(1)
      assertEqual(await queued.queue.purge(0, 100), 1, 'what was forgotten')
      const again = await queued.put('1', 'account-1', { fingerprint: 'another' })
      const byKey = await queued.put('2', 'account-1', { fingerprint: 'another', idempotencyKey: 'key' })
      assert(forgotten < again && again < byKey, `the positions do not rise: ${forgotten}, ${again}, ${byKey}`)
    }),
    queueCase('has a clock that goes on', async ({ queue }) => {
      const before = await queue.now()
      assert(Number.isSafeInteger(before) && before > Date.UTC(2024), `it is ${before}`)
      await eventually('time passes', async () => (await queue.now()) > before)
    }),
    queueCase('tells those that watch what may be due or over', async (queued) => {
      const { queue } = queued
      let told = 0
      const end = queue.watch(() => told++)
      const tells = async (what: string, call: () => Promise<unknown>) => {
        const before = told
        await call()
        await eventually(`the listener is told of ${what}`, () => told > before)
      }
      await tells('a command', () => queued.put('1'))
      await queued.put('2', 'account-2', { delay: LONG_LEASE_MS })
      const hold = await queued.claimOne()
      const dead = { commandId: '1', hold, state: 'dead', failure: declined, failed: true } as const
      await tells('a settlement', () => queued.end(dead))
      await tells('a replay', async () => queue.replay(['1']))
      await tells('a cancellation', async () => queue.cancel(['2']))
      end()
    }),
    queueCase('tells nothing more to one whose watch has ended, and everything to the others', async (queued) => {
      let gone = 0
      let here = 0
      const endGone = queued.queue.watch(() => gone++)
      const endHere = queued.queue.watch(() => {
        here++
        throw new Error('a listener that throws')
      })
      endGone()
      endGone()
      await queued.put('1')
      await eventually('the other one is told', () => here > 0)
      assertEqual(gone, 0, 'how often the one whose watch has ended was told')
      endHere()
    }),
  ],
}
