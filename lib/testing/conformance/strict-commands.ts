import { assertEqual } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'
import { declined, LONG_LEASE_MS, queueCase, SHORT_DELAY_MS, SHORT_LEASE_MS } from './queue-under-test.ts'
import type { QueueUnderTest } from './queue-under-test.ts'

const strict = { strict: true } as const

/** A strict command that has failed, and others behind and beside it. */
async function blocked(queued: QueueUnderTest, ending: { readonly delay: number } | 'dead'): Promise<void> {
  await queued.put('1', 'account-1', strict)
  await queued.put('2')
  const hold = await queued.claimOne('one', { commandsOfEach: 1 })
  const how = { commandId: '1', hold, failure: declined }
  if (ending === 'dead') await queued.end({ ...how, state: 'dead', failed: true })
  else await queued.end({ ...how, state: 'delayed', ...ending })
  await queued.put('3')
}

export const strictCommands: CaseGroup = {
  name: 'strict commands',
  cases: [
    queueCase('make those behind them wait for their next attempt', async (queued) => {
      await blocked(queued, { delay: SHORT_DELAY_MS })
      await queued.pass(SHORT_DELAY_MS)
      await queued.assertClaim([['1', '2', '3']])
    }),
    queueCase('let nothing of their stream and lane by meanwhile, and all others', async (queued) => {
      await blocked(queued, { delay: LONG_LEASE_MS })
      await queued.put('other stream', 'account-2')
      await queued.put('other lane', 'account-1', { lane: 2 })
      const { nextIn = 0 } = await queued.assertClaim([['other stream'], ['other lane']])
      assertEqual(nextIn > 0, true, 'whether it is known when it goes on')
    }),
    queueCase('make those behind them wait while they are dead letters', async (queued) => {
      await blocked(queued, 'dead')
      await queued.assertClaim([])
    }),
    queueCase('are run first when they are replayed', async (queued) => {
      await blocked(queued, 'dead')
      assertEqual(await queued.queue.replay(['1']), [true], 'the replay')
      await queued.assertClaim([['1', '2', '3']])
    }),
    queueCase('let the others go on when they are discarded', async (queued) => {
      await blocked(queued, 'dead')
      assertEqual(await queued.queue.discard(['1']), [true], 'the discard')
      await queued.assertClaim([['2', '3']])
    }),
    queueCase('let the others go on when they are taken back', async (queued) => {
      await blocked(queued, { delay: LONG_LEASE_MS })
      assertEqual(await queued.queue.cancel(['1']), [true], 'the cancellation')
      await queued.assertClaim([['2', '3']])
    }),
    queueCase('let the others go on when they are stored anew, behind them', async (queued) => {
      await blocked(queued, 'dead')
      await queued.put('1', 'account-1', strict)
      await queued.assertClaim([['2', '3', '1']])
    }),
    queueCase('make none of those before them wait', async (queued) => {
      await queued.put('1')
      await queued.put('2', 'account-1', strict)
      await queued.put('3')
      const hold = await queued.claimOne()
      await queued.queue.settle([
        { commandId: '1', hold, state: 'queued' },
        { commandId: '2', hold, state: 'dead', failure: declined, failed: true },
        { commandId: '3', hold, state: 'queued' },
      ])
      await queued.assertClaim([['1']], 'two')
    }),
    queueCase('make nobody wait before they were tried', async (queued) => {
      await queued.put('1', 'account-1', { ...strict, delay: LONG_LEASE_MS })
      await queued.put('2')
      await queued.assertClaim([['2']])
    }),
    queueCase('make nobody wait when they have come to an end', async (queued) => {
      await queued.put('1', 'account-1', strict)
      await queued.put('2', 'account-1', strict)
      await queued.put('3', 'account-1', strict)
      const hold = await queued.claimOne('one', { commandsOfEach: 2 })
      await queued.end({ commandId: '1', hold, state: 'rejected', failure: declined, failed: false })
      await queued.end({ commandId: '2', hold, state: 'expired', failure: declined })
      await queued.assertClaim([['3']])
    }),
    queueCase('are given back with those behind them when their worker fails them', async (queued) => {
      for (const commandId of ['1', '2', '3']) await queued.put(commandId, 'account-1', strict)
      const hold = await queued.claimOne()
      const answers = await queued.queue.settle([
        { commandId: '1', hold, state: 'delayed', failure: declined, delay: SHORT_DELAY_MS },
        { commandId: '2', hold, state: 'queued' },
        { commandId: '3', hold, state: 'queued' },
      ])
      assertEqual(answers, [true, true, true], 'the answers')
      await queued.pass(SHORT_DELAY_MS)
      await queued.assertClaim([['1', '2', '3']])
    }),
    queueCase('are claimed alone when their worker has died', async (queued) => {
      await queued.put('1', 'account-1', strict)
      await queued.put('2', 'account-1', strict)
      await queued.claimOne('one', { lease: SHORT_LEASE_MS })
      await queued.pass(SHORT_LEASE_MS)
      await queued.assertClaim([['1']], 'two')
    }),
    queueCase('are not overtaken by those behind them that their worker has died with', async (queued) => {
      for (const commandId of ['1', '2', '3']) await queued.put(commandId, 'account-1', strict)
      const hold = await queued.claimOne('one', { lease: SHORT_LEASE_MS })
      await queued.end({ commandId: '1', hold, state: 'dead', failure: declined, failed: true })
      await queued.pass(SHORT_LEASE_MS)
      await queued.assertClaim([], 'two')
      const { state, attempts } = await queued.read('2')
      assertEqual([state, attempts], ['queued', 0], 'the one behind')
      await queued.queue.replay(['1'])
      await queued.assertClaim([['1', '2', '3']], 'two')
    }),
  ],
}
