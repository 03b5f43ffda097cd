import { projectionsOf } from '../../event-store/checked-projection-store.ts'
import type { EventStore } from '../../event-store/event-store.ts'
import { assert, assertEqual, eventually, range } from './assertions.ts'
import { claim } from './checkpoints.ts'
import { unlessMultiProcess, unlessProjections, type CaseDefinition, type CaseGroup } from './conformance-case.ts'
import { tombstoneOf, asTombstones } from './deleted-streams.ts'
import { claimFor, LONG_LEASE_MS, ownerOf, SHORT_LEASE_MS, takeOver } from './leases.ts'
import { sampleSnapshot } from './snapshots.ts'
import { sharedCommandCases } from './shared-commands.ts'
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
    sharedCase('see that a stream was archived, described and restored by another', async (tested, other) => {
      await tested.write('account-1', 2)
      await tested.change(other.archiveStream('account-1', { expectedVersion: 2 }))
      const closed = { status: 'stream_closed', state: 'archived' }
      assertEqual(await tested.append('account-1'), closed, 'the answer')
      await tested.change(other.writeStreamMetadata('account-1', { owner: 'zoe' }))
      const info = await tested.store.readStreamInfo('account-1')
      assertEqual([info?.state, info?.metadata, info?.streamVersion], ['archived', { owner: 'zoe' }, 2], 'the stream')
      await tested.change(tested.store.restoreStream('account-1'))
      const answers = await other.append([tested.stream('account-1', 1, { expectedVersion: 2 })])
      assertEqual(answers, [{ status: 'appended', streamVersion: 3, firstPosition: 3 }], 'the answer once restored')
    }),
    sharedCase(
      'see the tombstones of a stream that another deleted, and take nothing into it',
      async (tested, other) => {
        await tested.write('account-1', 3)
        await tested.store.saveSnapshot(sampleSnapshot(tested))
        const before = await tested.readAll()
        await tested.change(other.deleteStream('account-1'))
        assertEqual(asTombstones(await tested.readAll()), before.map(tombstoneOf), 'the events')
        assertEqual(await tested.append('account-1'), { status: 'stream_closed', state: 'deleted' }, 'the answer')
        assertEqual(await tested.store.readSnapshot('account-1'), undefined, 'the snapshot')
      },
    ),
    sharedCase('close a stream at one version for all of them', async (tested, other) => {
      await tested.write('account-1')
      const stores = [tested.store, other]
      const appends = range(1, 20).map(async (number) => stores[number % 2]?.append([tested.stream('account-1')]))
      const closing = tested.change(other.archiveStream('account-1'))
      const later = range(1, 20).map(async (number) => stores[number % 2]?.append([tested.stream('account-1')]))
      const { streamVersion } = await closing
      const answers = (await Promise.all([...appends, ...later])).flat()
      const appended = answers.filter((answer) => answer?.status === 'appended').length
      assertEqual(streamVersion, appended + 1, 'the version at which it was closed')
      await tested.assertEventCount(streamVersion)
    }),
    sharedCase('take over the checkpoint of one that no longer renews its lease', async (tested, other) => {
      const gone = await claimFor(tested.store, 'one', SHORT_LEASE_MS)
      await tested.store.saveCheckpoint({ ...gone, position: 6 })
      const taken = await takeOver(other, 'two')
      assertEqual(taken.position, 6, 'the position')
      assert(taken.epoch > gone.epoch, `the epoch ${taken.epoch} is not above ${gone.epoch}`)
      assertEqual(await tested.store.renewCheckpoints([gone]), [false], 'the renewal of the one before')
      assertEqual(await tested.store.saveCheckpoint({ ...gone, position: 9 }), false, 'the save of the one before')
      assertEqual(await other.saveCheckpoint({ ...taken, position: 7 }), true, 'the save')
      assertEqual((await tested.store.readCheckpoint('balances'))?.position, 7, 'the position in the end')
    }),
    sharedCase('see who of the others holds a checkpoint', async (tested, other) => {
      const held = await claimFor(other, 'two', LONG_LEASE_MS)
      assertEqual(await ownerOf(tested.store), 'two', 'the owner')
      assertEqual(await tested.store.listCheckpoints('bal'), [{ ...held, owner: 'two' }], 'the list')
      await other.releaseCheckpoint('balances', held.epoch)
      assertEqual(await ownerOf(tested.store), undefined, 'the owner once it was released')
    }),
    sharedCase('give a checkpoint to one of many that claim it at once', async (tested, other) => {
      const owners = range(1, 12).map((number) => `owner-${number}`)
      const claims = await Promise.all(
        owners.map(async (owner, index) =>
          (index % 2 === 0 ? tested.store : other).claimCheckpoint('balances', { owner, startAfter: 0 }),
        ),
      )
      assertEqual(claims.filter((claimed) => claimed !== undefined).length, 1, 'the number of claims')
    }),
    sharedCase('are woken by what the others append', async (tested, other) => {
      let told = 0
      const end = tested.store.watch(() => told++)
      for (const number of range(1, 3)) {
        const before = told
        await other.append([tested.stream(`account-${number}`)])
        await eventually(`the listener is told of append ${number}`, () => told > before)
      }
      end()
    }),
    sharedCase('read a conversation that several of them wrote', async (tested, other) => {
      for (const number of range(1, 10)) {
        const events = tested.events(1, { correlationId: number % 3 === 0 ? 'request-2' : 'request-1' })
        await (number % 2 === 0 ? tested.store : other).append([tested.stream(`account-${number}`, events)])
      }
      const { events } = await other.readAll({ correlationId: 'request-2' })
      assertEqual(
        events.map((event) => event.position),
        [3, 6, 9],
        'the positions',
      )
    }),
    {
      ...sharedCase('see which generation of a projection another has published', async (tested, other) => {
        const { harness, store } = tested
        const publication = { name: 'balances', version: 1, generation: 1, tables: { balances: 'balances_1' } }
        await projectionsOf(other).transaction(async (tx) => {
          await harness.createTable(tx, 'balances_1')
          await harness.insert(tx, 'balances_1', 'a')
          await projectionsOf(other).publish(tx, publication)
        })
        const seen = await projectionsOf(store).transaction((tx) =>
          projectionsOf(store).readPublication(tx, 'balances'),
        )
        assertEqual(seen, publication, 'the publication')
        assertEqual(await harness.count('balances'), 1, 'the rows that readers see')
      }),
      skip: (capabilities) => unlessMultiProcess(capabilities) ?? unlessProjections(capabilities),
    },
    ...sharedCommandCases,
  ],
}
