import type { CommandQueueStore } from '../../event-store/command-queue-store.ts'
import type { EventStore } from '../../event-store/event-store.ts'
import { assert, assertEqual, assertFails } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

function operations(tested: StoreUnderTest, store: EventStore): Record<string, () => unknown> {
  const snapshot = { streamId: 'a', category: 'A', streamVersion: 1, snapshotVersion: 1, createdAt: 0 }
  return {
    append: () => store.append([tested.stream('account-1')]),
    readStream: () => store.readStream('account-1'),
    readAll: () => store.readAll(),
    readCommand: () => store.readCommand('account-1', 'command-1'),
    headPosition: () => store.headPosition(),
    readStreamInfo: () => store.readStreamInfo('account-1'),
    writeStreamMetadata: () => store.writeStreamMetadata('account-1', {}),
    archiveStream: () => store.archiveStream('account-1'),
    restoreStream: () => store.restoreStream('account-1'),
    deleteStream: () => store.deleteStream('account-1'),
    watch: () => store.watch(() => undefined),
    saveSnapshot: () => store.saveSnapshot({ ...snapshot, ...tested.data({}) }),
    readSnapshot: () => store.readSnapshot('account-1'),
    deleteSnapshot: () => store.deleteSnapshot('account-1'),
    claimCheckpoint: () => store.claimCheckpoint('balances', { owner: 'one', startAfter: 0 }),
    renewCheckpoints: () => store.renewCheckpoints([{ name: 'balances', epoch: 1 }]),
    saveCheckpoint: () => store.saveCheckpoint({ name: 'balances', position: 0, index: 0, epoch: 1 }),
    releaseCheckpoint: () => store.releaseCheckpoint('balances', 1),
    readCheckpoint: () => store.readCheckpoint('balances'),
    deleteCheckpoint: () => store.deleteCheckpoint('balances'),
    listCheckpoints: () => store.listCheckpoints(),
    ...(store.projections && { transaction: () => store.projections?.transaction(() => undefined) }),
    ...(store.commands && commandOperations(store.commands)),
    close: () => store.close(),
  }
}

function commandOperations(commands: CommandQueueStore): Record<string, () => unknown> {
  return {
    enqueue: () => commands.enqueue([]),
    claim: () => commands.claim({ owner: 'one', groups: 1, commandsOfEach: 1, lease: 1 }),
    renew: () => commands.renew('one', 1),
    settle: () => commands.settle([]),
    read: () => commands.read([]),
    list: () => commands.list(),
    count: () => commands.count(),
    cancel: () => commands.cancel([]),
    replay: () => commands.replay([]),
    discard: () => commands.discard([]),
    purge: () => commands.purge(0, 1),
    now: () => commands.now(),
    'watch of commands': () => commands.watch(() => undefined),
  }
}

async function assertRefusesAll(tested: StoreUnderTest): Promise<void> {
  for (const [name, operation] of Object.entries(operations(tested, tested.store))) {
    await assertFails(operation, 'not_running', name)
  }
}

export const lifecycle: CaseGroup = {
  name: 'lifecycle',
  cases: [
    {
      name: 'has a name for messages',
      run: async ({ store }) => assert(store.name !== '', 'the name is empty'),
    },
    {
      name: 'refuses every operation before it is opened',
      closed: true,
      run: assertRefusesAll,
    },
    {
      name: 'refuses every operation after it is closed',
      closed: true,
      run: async (tested) => {
        await tested.store.open()
        await tested.write('account-1')
        await tested.store.close()
        await assertRefusesAll(tested)
      },
    },
    {
      name: 'stays open until every open is paired with a close',
      closed: true,
      run: async (tested) => {
        await tested.store.open()
        await tested.store.open()
        await tested.store.close()
        await tested.write('account-1')
        await tested.store.close()
        await assertFails(() => tested.store.headPosition(), 'not_running', 'headPosition')
      },
    },
    {
      name: 'can be opened by several at once',
      closed: true,
      run: async (tested) => {
        const { store } = tested
        await Promise.all([store.open(), store.open(), store.open()])
        await Promise.all([store.close(), store.close()])
        await tested.write('account-1')
        await store.close()
        await assertFails(() => store.headPosition(), 'not_running', 'headPosition')
      },
    },
    {
      name: 'can be opened again at once while it closes',
      closed: true,
      run: async (tested) => {
        const { store } = tested
        await store.open()
        await Promise.all([store.close(), store.open()])
        await tested.write('account-1')
        await store.close()
      },
    },
    {
      name: 'keeps its events over close and open',
      closed: true,
      run: async (tested) => {
        await tested.store.open()
        await tested.write('account-1', 2)
        await tested.store.close()
        await tested.store.open()
        const { firstPosition, streamVersion } = await tested.write('account-1')
        assertEqual({ firstPosition, streamVersion }, { firstPosition: 3, streamVersion: 3 }, 'the next append')
        await tested.assertEventCount(3)
        await tested.store.close()
      },
    },
    {
      name: 'keeps snapshots and checkpoints over close and open',
      closed: true,
      run: async (tested) => {
        const { store } = tested
        const snapshot = {
          ...{ streamId: 'account-1', category: 'BankAccount', streamVersion: 1, snapshotVersion: 1 },
          ...{ createdAt: 0, ...tested.data({ balance: 5 }) },
        }
        await store.open()
        await store.saveSnapshot(snapshot)
        const claim = await store.claimCheckpoint('balances', { owner: 'one', startAfter: 7 })
        await store.releaseCheckpoint('balances', claim?.epoch ?? 0)
        await store.close()
        await store.open()
        assertEqual(await store.readSnapshot('account-1'), snapshot, 'the snapshot')
        assertEqual((await store.readCheckpoint('balances'))?.position, 7, "the checkpoint's position")
        await store.close()
      },
    },
    {
      name: 'shares nothing with another store of its kind',
      run: async (tested) => {
        const other = await tested.another()
        await tested.write('account-1', 3)
        await tested.store.claimCheckpoint('balances', { owner: 'one', startAfter: 0 })
        assertEqual(await other.headPosition(), 0, 'the head position of the other store')
        assertEqual((await other.readStream('account-1')).streamVersion, 0, 'the version in the other store')
        assertEqual(await other.readCheckpoint('balances'), undefined, 'the checkpoint in the other store')
      },
    },
  ],
}
