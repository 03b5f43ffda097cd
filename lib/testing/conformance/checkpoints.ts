import type { Checkpoint, CheckpointClaim } from '../../event-store/checkpoint.ts'
import type { EventStore } from '../../event-store/event-store.ts'
import { assert, assertEqual } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'

const name = 'balances'

/** Claims a checkpoint that must be free. */
export async function claim(store: EventStore, owner: string, of = name, startAfter = 0): Promise<CheckpointClaim> {
  const claimed = await store.claimCheckpoint(of, { owner, startAfter })
  assert(claimed !== undefined, `${owner} could not claim the checkpoint ${of}`)
  return claimed
}

const placeOf = (checkpoint: Checkpoint | undefined) => checkpoint && [checkpoint.position, checkpoint.index]

export const checkpoints: CaseGroup = {
  name: 'checkpoints',
  cases: [
    {
      name: 'are not there before they are claimed',
      run: async ({ store }) => assertEqual(await store.readCheckpoint(name), undefined, 'the checkpoint'),
    },
    {
      name: 'begin where the first claim says',
      run: async ({ store }) => {
        const claimed = await claim(store, 'one', name, 41)
        assertEqual([claimed.name, claimed.position, claimed.index], [name, 41, 0], 'the claim')
        assert(Number.isSafeInteger(claimed.epoch) && claimed.epoch > 0, `the epoch ${claimed.epoch}`)
        assertEqual(await store.readCheckpoint(name), claimed, 'what is read')
      },
    },
    {
      name: 'give a higher epoch to an owner that claims again',
      run: async ({ store }) => {
        const first = await claim(store, 'one')
        const second = await claim(store, 'one')
        assert(second.epoch > first.epoch, `the epoch ${second.epoch} is not above ${first.epoch}`)
      },
    },
    {
      name: 'are refused to another owner while they are held',
      run: async ({ store }) => {
        const held = await claim(store, 'one')
        assertEqual(await store.claimCheckpoint(name, { owner: 'two', startAfter: 0 }), undefined, 'the claim')
        assertEqual(await store.saveCheckpoint({ ...held, position: 3 }), true, 'the save of the holder')
      },
    },
    {
      name: 'are given to one of many owners that claim at once',
      run: async ({ store }) => {
        const owners = ['one', 'two', 'three', 'four', 'five']
        const claims = await Promise.all(
          owners.map(async (owner) => store.claimCheckpoint(name, { owner, startAfter: 0 })),
        )
        assertEqual(claims.filter((claimed) => claimed !== undefined).length, 1, 'the number of claims')
      },
    },
    {
      name: 'are saved and read',
      run: async ({ store }) => {
        const held = await claim(store, 'one')
        const reached = { ...held, position: 12, index: 3 }
        assertEqual(await store.saveCheckpoint(reached), true, 'the save')
        assertEqual(await store.readCheckpoint(name), reached, 'what is read')
      },
    },
    {
      name: 'may go back',
      run: async ({ store }) => {
        const held = await claim(store, 'one', name, 20)
        assertEqual(await store.saveCheckpoint({ ...held, position: 4 }), true, 'the save')
        assertEqual(placeOf(await store.readCheckpoint(name)), [4, 0], 'the place')
      },
    },
    {
      name: 'keep their place when they are claimed again, wherever the claim would begin',
      run: async ({ store }) => {
        const held = await claim(store, 'one')
        await store.saveCheckpoint({ ...held, position: 12, index: 2 })
        assertEqual(placeOf(await claim(store, 'one', name, 99)), [12, 2], 'the place')
      },
    },
    {
      name: 'refuse a save with an older epoch, and keep their place',
      run: async ({ store }) => {
        const stale = await claim(store, 'one')
        const held = await claim(store, 'one')
        await store.saveCheckpoint({ ...held, position: 8 })
        assertEqual(await store.saveCheckpoint({ ...stale, position: 5 }), false, 'the stale save')
        assertEqual(placeOf(await store.readCheckpoint(name)), [8, 0], 'the place')
      },
    },
    {
      name: 'refuse a save with an epoch that was never given',
      run: async ({ store }) => {
        const held = await claim(store, 'one')
        const ahead = { ...held, epoch: held.epoch + 1, position: 5 }
        assertEqual(await store.saveCheckpoint(ahead), false, 'the save')
        assertEqual(placeOf(await store.readCheckpoint(name)), [0, 0], 'the place')
      },
    },
    {
      name: 'refuse a save of a checkpoint that is not there',
      run: async ({ store }) => {
        assertEqual(await store.saveCheckpoint({ name, position: 1, index: 0, epoch: 1 }), false, 'the save')
        assertEqual(await store.readCheckpoint(name), undefined, 'the checkpoint')
      },
    },
    {
      name: 'can be taken by another owner once they are released, where they stand',
      run: async ({ store }) => {
        const first = await claim(store, 'one')
        await store.saveCheckpoint({ ...first, position: 7, index: 1 })
        await store.releaseCheckpoint(name, first.epoch)
        const second = await claim(store, 'two')
        assertEqual(placeOf(second), [7, 1], 'the place')
        assert(second.epoch > first.epoch, `the epoch ${second.epoch} is not above ${first.epoch}`)
      },
    },
    {
      name: 'refuse a save of an owner that released them',
      run: async ({ store }) => {
        const held = await claim(store, 'one')
        await store.releaseCheckpoint(name, held.epoch)
        assertEqual(await store.saveCheckpoint({ ...held, position: 9 }), false, 'the save')
        assertEqual(placeOf(await store.readCheckpoint(name)), [0, 0], 'the place')
      },
    },
    {
      name: 'refuse a save of the owner before, when another has taken them',
      run: async ({ store }) => {
        const first = await claim(store, 'one')
        await store.releaseCheckpoint(name, first.epoch)
        const second = await claim(store, 'two')
        assertEqual(await store.saveCheckpoint({ ...first, position: 9 }), false, 'the stale save')
        assertEqual(await store.saveCheckpoint({ ...second, position: 2 }), true, 'the save')
        assertEqual(placeOf(await store.readCheckpoint(name)), [2, 0], 'the place')
      },
    },
    {
      name: 'stay with their owner when one with an older epoch releases them',
      run: async ({ store }) => {
        const stale = await claim(store, 'one')
        const held = await claim(store, 'one')
        await store.releaseCheckpoint(name, stale.epoch)
        assertEqual(await store.claimCheckpoint(name, { owner: 'two', startAfter: 0 }), undefined, 'the claim')
        assertEqual(await store.saveCheckpoint({ ...held, position: 1 }), true, 'the save')
      },
    },
    {
      name: 'that are not there can be released and deleted',
      run: async ({ store }) => {
        await store.releaseCheckpoint(name, 1)
        await store.deleteCheckpoint(name)
        assertEqual(await store.readCheckpoint(name), undefined, 'the checkpoint')
      },
    },
    {
      name: 'begin anew when they were deleted',
      run: async ({ store }) => {
        const held = await claim(store, 'one')
        await store.saveCheckpoint({ ...held, position: 7, index: 1 })
        await store.deleteCheckpoint(name)
        assertEqual(await store.readCheckpoint(name), undefined, 'the checkpoint')
        assertEqual(placeOf(await claim(store, 'two', name, 3)), [3, 0], 'the place')
      },
    },
    {
      name: 'refuse a save of an owner from before they were deleted',
      run: async ({ store }) => {
        const stale = await claim(store, 'one')
        await store.deleteCheckpoint(name)
        assertEqual(await store.saveCheckpoint({ ...stale, position: 9 }), false, 'the save after the deletion')
        const held = await claim(store, 'two')
        assert(held.epoch > stale.epoch, `the epoch ${held.epoch} is not above ${stale.epoch}`)
        assertEqual(await store.saveCheckpoint({ ...stale, position: 9 }), false, 'the save after the new claim')
        assertEqual(placeOf(await store.readCheckpoint(name)), [0, 0], 'the place')
      },
    },
    {
      name: 'are independent of each other',
      run: async ({ store }) => {
        const first = await claim(store, 'one', 'balances')
        const second = await claim(store, 'two', 'Balances')
        await store.saveCheckpoint({ ...first, position: 1 })
        await store.saveCheckpoint({ ...second, position: 2 })
        await store.deleteCheckpoint('balances')
        assertEqual(placeOf(await store.readCheckpoint('Balances')), [2, 0], 'the place of the other')
        assertEqual(await store.saveCheckpoint({ ...second, position: 3 }), true, 'the save of the other')
      },
    },
    {
      name: 'take any text as a name',
      run: async ({ store }) => {
        for (const odd of ['__proto__', "it's; --", '漢字 🏦', ' ', 'x'.repeat(255)]) {
          const held = await claim(store, 'one', odd)
          assertEqual(await store.saveCheckpoint({ ...held, position: 5 }), true, 'the save')
          assertEqual((await store.readCheckpoint(odd))?.name, odd, 'the name')
        }
      },
    },
    {
      name: 'keep positions beyond 32 bits',
      run: async ({ store }) => {
        const held = await claim(store, 'one', name, 2 ** 40)
        const far = { ...held, position: Number.MAX_SAFE_INTEGER, index: 100_000 }
        assertEqual(await store.saveCheckpoint(far), true, 'the save')
        assertEqual(await store.readCheckpoint(name), far, 'the checkpoint')
      },
    },
  ],
}
