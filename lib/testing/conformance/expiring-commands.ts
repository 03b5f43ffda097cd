import type { CommandState } from '../../event-store/command-queue-store.ts'
import { assert, assertEqual } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'
import { declined, LONG_LEASE_MS, queueCase, SHORT_DELAY_MS, SHORT_LEASE_MS } from './queue-under-test.ts'
import type { QueueUnderTest } from './queue-under-test.ts'

/** A deadline that passes while a case waits for it. */
async function soon(queued: QueueUnderTest): Promise<number> {
  return (await queued.queue.now()) + SHORT_DELAY_MS
}

/** Prepares something in time for its deadline, and lets that pass. A machine that is busy gets more time for it, and another stream. */
async function inTime<Prepared>(
  queued: QueueUnderTest,
  prepare: (deadline: number, streamId: string) => Promise<Prepared>,
): Promise<Prepared> {
  for (let patience = 4 * SHORT_DELAY_MS; ; patience *= 4) {
    const deadline = (await queued.queue.now()) + patience
    const prepared = await prepare(deadline, `account-${patience}`)
    const now = await queued.queue.now()
    if (now < deadline) {
      await queued.pass(deadline - now)
      return prepared
    }
  }
}

async function listed(queued: QueueUnderTest, states?: readonly CommandState[]): Promise<readonly string[]> {
  return (await queued.queue.list({ states })).map(({ commandId }) => commandId)
}

/** A worker is given these in the end, whatever else there is. */
async function assertGiven(queued: QueueUnderTest, expected: readonly string[]): Promise<void> {
  const given: string[] = []
  for (let groups = 1; groups > 0;) {
    const { claims } = await queued.claim('two')
    groups = claims.length
    for (const claimed of claims) {
      given.push(...claimed.commands.map(({ commandId }) => commandId))
      await queued.complete(claimed)
    }
  }
  const missing = expected.filter((commandId) => !given.includes(commandId))
  assertEqual(missing, [], 'what nobody is given')
}

export const expiringCommands: CaseGroup = {
  name: 'expiring commands',
  cases: [
    queueCase('shows a command as expired from its deadline on, though nobody has come by', async (queued) => {
      const { queue } = queued
      const deadline = await soon(queued)
      const far = deadline + LONG_LEASE_MS
      await queued.put('1', 'account-1', { deadline })
      await queued.put('2', 'account-1', { deadline, delay: LONG_LEASE_MS })
      await queued.put('3', 'account-1', { deadline: far })
      await queued.put('4', 'account-1', { deadline: far, delay: LONG_LEASE_MS })
      await queued.pass(SHORT_DELAY_MS)
      const { state, changedAt, enqueuedAt, attempts } = await queued.read('1')
      assertEqual([state, attempts], ['expired', 0], 'the one that was due')
      assertEqual(changedAt, Math.max(deadline, enqueuedAt), 'since when it is')
      assertEqual(await queued.state('2'), 'expired', 'the one that was to be run later')
      assertEqual(
        (await queue.list()).map((command) => command.state),
        ['expired', 'expired', 'queued', 'delayed'],
        'the list',
      )
      assertEqual(await listed(queued, ['expired']), ['1', '2'], 'the list of what is expired')
      assertEqual(await listed(queued, ['queued', 'delayed']), ['3', '4'], 'the list of what waits')
      assertEqual(await listed(queued, ['delayed', 'expired']), ['1', '2', '4'], 'the list of some states')
      const counts = async (states?: readonly CommandState[]) =>
        (await queue.count(states)).map((one) => `${one.count} ${one.state}`).sort()
      assertEqual(await counts(), ['1 delayed', '1 queued', '2 expired'], 'the counts')
      assertEqual(await counts(['queued']), ['1 queued'], 'the counts of one state')
      assertEqual(await counts(['expired']), ['2 expired'], 'the counts of what is expired')
    }),
    queueCase('gives nobody a command whose deadline has passed, and goes on behind it', async (queued) => {
      const deadline = await soon(queued)
      await queued.put('1', 'account-1', { deadline, strict: true })
      await queued.put('2')
      await queued.put('3', 'account-2', { deadline })
      await queued.put('4', 'account-3', { deadline, delay: 1 })
      await queued.put('5', 'account-1', { deadline: deadline + LONG_LEASE_MS })
      await queued.pass(SHORT_DELAY_MS)
      const hold = await queued.claimOne()
      assertEqual(
        hold.commands.map(({ commandId }) => commandId),
        ['2', '5'],
        'what is given',
      )
      assertEqual(await listed(queued, ['expired']), ['1', '3', '4'], 'what is expired')
      const { changedAt, enqueuedAt } = await queued.read('3')
      assertEqual(changedAt, Math.max(deadline, enqueuedAt), 'since when it is')
      await queued.complete(hold)
      assertEqual(await queued.claim(), { claims: [], nextIn: undefined }, 'what is left')
    }),
    queueCase('lets what is running go on behind its deadline, and gives it back as what it is', async (queued) => {
      const [one, two, hold] = await inTime(queued, async (deadline, streamId) => {
        const ids = [`${streamId} 1`, `${streamId} 2`] as const
        for (const commandId of ids) await queued.put(commandId, streamId, { deadline })
        const { claims } = await queued.claim()
        return [...ids, claims.find((claim) => claim.streamId === streamId)] as const
      })
      assertEqual([await queued.state(one), await queued.state(two)], ['running', 'running'], 'the states')
      await queued.end({ commandId: one, hold, state: 'completed', result: 1 })
      assertEqual((await queued.end({ commandId: two, hold, state: 'queued' })).state, 'expired', 'what was not begun')
      assertEqual(await queued.claim(), { claims: [], nextIn: undefined }, 'what is left')
    }),
    queueCase('leaves it to a worker to say what came of a command that was begun, and failed', async (queued) => {
      const { queue } = queued
      const expected = await inTime(queued, async (deadline, streamId) => {
        const ids = ['tried', 'replayed', 'again'].map((name) => `${streamId} ${name}`)
        const [tried, replayed, again] = ids as [string, string, string]
        for (const commandId of ids) await queued.put(commandId, commandId, { deadline })
        const { claims } = await queued.claim()
        const settlements = claims
          .filter((hold) => ids.includes(hold.streamId))
          .map((hold) => {
            const ending = { commandId: hold.streamId, hold, failure: declined }
            return hold.streamId === tried
              ? ({ ...ending, state: 'delayed', delay: 0 } as const)
              : ({ ...ending, state: 'dead', failed: true } as const)
          })
        await queue.settle(settlements)
        await queue.discard([again])
        await queue.enqueue([queued.command(again, again, { deadline })])
        await queue.replay([replayed])
        return ids
      })
      await assertGiven(queued, expected)
    }),
    queueCase('leaves it to a worker to say what came of what a worker had that died', async (queued) => {
      const expected = await inTime(queued, async (deadline, streamId) => {
        const ids = [`${streamId} 1`, `${streamId} 2`]
        for (const commandId of ids) await queued.put(commandId, streamId, { deadline })
        await queued.claim('gone', { lease: SHORT_LEASE_MS })
        return ids
      })
      await queued.pass(SHORT_LEASE_MS)
      await assertGiven(queued, expected)
    }),
    queueCase('cancels no command that is expired, and stores one anew in its place', async (queued) => {
      const { queue } = queued
      const deadline = await soon(queued)
      const known = { deadline, idempotencyKey: 'key' }
      const position = await queued.put('1', 'account-1', known)
      await queued.put('2', 'account-1', { deadline })
      await queued.pass(SHORT_DELAY_MS)
      assertEqual(await queue.cancel(['2', 'nobody']), [false, false], 'what is cancelled')
      assertEqual((await queued.try('1', { fingerprint: 'another' })).status, 'duplicate', 'the answer to another one')
      const again = await queued.try('1', { idempotencyKey: 'key' })
      assert(again.status === 'enqueued' && again.position > position, `it was answered ${again.status}`)
      assertEqual([await queued.state('1'), await queued.state('2')], ['queued', 'expired'], 'the states')
      await queued.assertClaim([['1']])
    }),
    queueCase('forgets what is expired like all that is over', async (queued) => {
      await queued.put('1', 'account-1', { deadline: await soon(queued) })
      await queued.pass(SHORT_DELAY_MS)
      await queued.assertClaim([])
      assertEqual(await queued.queue.purge(LONG_LEASE_MS, 10), 0, 'what is forgotten too soon')
      assertEqual(await queued.queue.purge(0, 10), 1, 'what is forgotten')
      assertEqual(await queued.queue.list(), [], 'what is left')
    }),
  ],
}
