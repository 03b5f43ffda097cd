import type { EventStore } from '../../event-store/event-store.ts'
import { assert, assertEqual, eventually, range } from './assertions.ts'
import { claim } from './checkpoints.ts'
import { unlessMultiProcess, type CaseDefinition, type CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

function sharedCase(name: string, run: (tested: StoreUnderTest, other: EventStore) => Promise<void>): CaseDefinition {
  return { name, run: async (tested) => run(tested, await tested.peer()), skip: unlessMultiProcess }
}

export const severalProcesses: CaseGroup = {
  name: 'several processes',
  cases: [
    sharedCase('see what the others have appended', async (tested, other) => {
      await tested.write('account-1', 2)
      assertEqual((await other.readStream('account-1')).events, await tested.readStream('account-1'), 'the events')
      await other.append([tested.stream('account-1', 1, { expectedVersion: 2 })])
      await tested.assertEventCount(3)
    }),
    sharedCase('are told of a conflict with each other', async (tested, other) => {
      await tested.write('account-1')
      await other.append([tested.stream('account-1', 1, { expectedVersion: 1 })])
      const answer = await tested.append('account-1', 1, { expectedVersion: 1 })
      assertEqual(answer, { status: 'version_conflict', actual: 2 }, 'the answer')
    }),
    sharedCase('append at once without gaps, one winner for each expected version', async (tested, other) => {
      for (const version of range(0, 9)) {
        const answers = await Promise.all(
          [tested.store, other, tested.store, other].map(async (store) =>
            store.append([tested.stream('account-1', 1, { expectedVersion: version })]),
          ),
        )
        const winners = answers.flat().filter((answer) => answer.status === 'appended')
        assertEqual(winners.length, 1, `the winners at version ${version}`)
      }
      await Promise.all(
        range(1, 40).map(async (number) =>
          (number % 2 === 0 ? tested.store : other).append([tested.stream(`account-${number % 5}`, 2)]),
        ),
      )
      await tested.assertEventCount(90)
    }),
    sharedCase('answer the repeat of a command that another one appended', async (tested, other) => {
      const events = tested.events(2)
      await tested.write('account-1', events)
      const [answer] = await other.append([tested.stream('account-1', events)])
      assertEqual(answer, { status: 'repeated', events: await tested.readStream('account-1') }, 'the answer')
    }),
    sharedCase('hold a checkpoint one at a time', async (tested, other) => {
      const first = await claim(tested.store, 'one')
      assertEqual(await other.claimCheckpoint('balances', { owner: 'two', startAfter: 0 }), undefined, 'the claim')
      await tested.store.releaseCheckpoint('balances', first.epoch)
      const second = await claim(other, 'two')
      assert(second.epoch > first.epoch, `the epoch ${second.epoch} is not above ${first.epoch}`)
      assertEqual(await tested.store.saveCheckpoint({ ...first, position: 4 }), false, 'the stale save')
      assertEqual(await other.saveCheckpoint({ ...second, position: 5 }), true, 'the save')
      assertEqual((await tested.store.readCheckpoint('balances'))?.position, 5, 'the position')
    }),
    sharedCase('see each other’s snapshots', async (tested, other) => {
      const snapshot = {
        ...{ streamId: 'account-1', category: 'BankAccount', streamVersion: 1, snapshotVersion: 1, createdAt: 5 },
        ...tested.data({ balance: 5 }),
      }
      await tested.store.saveSnapshot(snapshot)
      assertEqual(await other.readSnapshot('account-1'), snapshot, 'the snapshot')
    }),
    sharedCase('read on over what the others append, and miss nothing', async (tested, other) => {
      let written = false
      const writers = [tested.store, other].map(async (store, writer) => {
        for (const _ of range(1, 25)) await store.append([tested.stream(`account-${writer}`, 2)])
      })
      const done = Promise.all(writers).finally(() => (written = true))
      const positions: number[] = []
      let lastPosition = 0
      await eventually('all is read', async () => {
        const ended = written
        const slice = await other.readAll({ fromPosition: lastPosition + 1, maxCount: 9 })
        positions.push(...slice.events.map((event) => event.position))
        lastPosition = slice.lastPosition
        return ended && slice.lastPosition >= slice.headPosition
      })
      await done
      assertEqual(positions, range(1, 100), 'the positions that were read')
    }),
  ],
}
