import { systemClock } from '../../effects/clock.ts'
import type { CheckpointClaim } from '../../event-store/checkpoint.ts'
import type { EventStore } from '../../event-store/event-store.ts'
import { assert, assertEqual, eventually, fail } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'

const name = 'balances'
/** Runs out while a case waits for it. */
export const SHORT_LEASE_MS = 25
/** Does not run out while a case is under way. */
export const LONG_LEASE_MS = 60_000
const MOST_TRIES = 6

/** Claims a checkpoint that must be free, for a time. */
export async function claimFor(store: EventStore, owner: string, lease: number, of = name): Promise<CheckpointClaim> {
  const claimed = await tryClaim(store, owner, lease, of)
  return claimed ?? fail(`${owner} could not claim the checkpoint ${of}`)
}

async function tryClaim(store: EventStore, owner: string, lease: number, of = name) {
  return store.claimCheckpoint(of, { owner, startAfter: 0, lease })
}

/** Claims a checkpoint as soon as the lease of the one who holds it has run out. */
export async function takeOver(store: EventStore, owner: string, of = name): Promise<CheckpointClaim> {
  let claimed: CheckpointClaim | undefined
  await eventually(`${owner} has taken over`, async () => {
    claimed = await tryClaim(store, owner, LONG_LEASE_MS, of)
    return claimed !== undefined
  })
  return claimed as CheckpointClaim
}

/** Who holds a checkpoint, as a look over all of them tells. */
export async function ownerOf(store: EventStore, of = name): Promise<string | undefined> {
  return (await store.listCheckpoints()).find((state) => state.name === of)?.owner
}

async function hasRunOut(store: EventStore, of = name): Promise<void> {
  await eventually('the lease has run out', async () => (await ownerOf(store, of)) === undefined)
}

/**
 * What is seen of a lease that must not have run out meanwhile. The look gives undefined where it took so long that nothing can be
 * concluded; then it is made again, with a longer lease.
 */
async function seenInTime<Seen>(look: (lease: number) => Promise<Seen | undefined>): Promise<Seen> {
  for (let tries = 0, lease = 300; tries < MOST_TRIES; tries++, lease *= 2) {
    const seen = await look(lease)
    if (seen !== undefined) return seen
  }
  fail('the store is too slow for its leases to be looked at')
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => systemClock.setTimeout(resolve, milliseconds))
}

export const leases: CaseGroup = {
  name: 'leases',
  cases: [
    {
      name: 'hold a checkpoint against other owners',
      run: async ({ store }) => {
        await claimFor(store, 'one', LONG_LEASE_MS)
        assertEqual(await tryClaim(store, 'two', LONG_LEASE_MS), undefined, 'the claim of another')
        assertEqual(await ownerOf(store), 'one', 'the owner')
      },
    },
    {
      name: 'hold where a claim says nothing of them, too',
      run: async ({ store }) => {
        await store.claimCheckpoint(name, { owner: 'one', startAfter: 0 })
        assertEqual(await ownerOf(store), 'one', 'the owner')
      },
    },
    {
      name: 'give way to a claim that is forced, which goes on where the former owner was and fences that one',
      run: async ({ store }) => {
        const first = await claimFor(store, 'one', LONG_LEASE_MS)
        await store.saveCheckpoint({ ...first, position: 7, index: 1 })
        const lease = LONG_LEASE_MS
        const forced = await store.claimCheckpoint(name, { owner: 'two', startAfter: 0, lease, force: true })
        assertEqual([forced?.position, forced?.index], [7, 1], 'the place of the forced claim')
        assert((forced?.epoch ?? 0) > first.epoch, 'the epoch rises')
        assertEqual(await ownerOf(store), 'two', 'the owner')
        assertEqual(await store.saveCheckpoint({ ...first, position: 8 }), false, 'a save of the former owner')
        assertEqual(await store.renewCheckpoints([first]), [false], 'a renewal of the former owner')
      },
    },
    {
      name: 'run out, so that another owner can take over where the first one was',
      run: async ({ store }) => {
        const first = await claimFor(store, 'one', SHORT_LEASE_MS)
        await store.saveCheckpoint({ ...first, position: 7, index: 1 })
        const second = await takeOver(store, 'two')
        assertEqual([second.position, second.index], [7, 1], 'the place')
        assert(second.epoch > first.epoch, `the epoch ${second.epoch} is not above ${first.epoch}`)
        assertEqual(await ownerOf(store), 'two', 'the owner')
      },
    },
    {
      name: 'that ran out are given to one of many that want to take over',
      run: async ({ store }) => {
        await claimFor(store, 'one', SHORT_LEASE_MS)
        await hasRunOut(store)
        const owners = ['two', 'three', 'four', 'five', 'six']
        const claims = await Promise.all(owners.map((owner) => tryClaim(store, owner, LONG_LEASE_MS)))
        assertEqual(claims.filter((claimed) => claimed !== undefined).length, 1, 'the number of claims')
      },
    },
    {
      name: 'fence the owner before, once another one has taken over',
      run: async ({ store }) => {
        const stale = await claimFor(store, 'one', SHORT_LEASE_MS)
        const held = await takeOver(store, 'two')
        assertEqual(await store.saveCheckpoint({ ...stale, position: 9 }), false, 'the stale save')
        assertEqual(await store.renewCheckpoints([stale]), [false], 'the stale renewal')
        await store.releaseCheckpoint(name, stale.epoch)
        assertEqual(await ownerOf(store), 'two', 'the owner after the stale release')
        assertEqual(await store.saveCheckpoint({ ...held, position: 2 }), true, 'the save')
        assertEqual((await store.readCheckpoint(name))?.position, 2, 'the position')
      },
    },
    {
      name: 'fence nobody by running out alone',
      run: async ({ store }) => {
        const held = await claimFor(store, 'one', SHORT_LEASE_MS)
        await hasRunOut(store)
        assertEqual(await store.saveCheckpoint({ ...held, position: 4 }), true, 'the save')
        assertEqual((await store.readCheckpoint(name))?.position, 4, 'the position')
      },
    },
    {
      name: 'hold again where they are renewed after they ran out, and nobody has claimed since',
      run: async ({ store }) => {
        const seen = await seenInTime(async (lease) => {
          const of = `balances, for ${lease} ms`
          const held = await claimFor(store, 'one', lease, of)
          await hasRunOut(store, of)
          const renewedAt = systemClock.now()
          const renewed = await store.renewCheckpoints([held])
          const other = await tryClaim(store, 'two', LONG_LEASE_MS, of)
          return systemClock.now() - renewedAt < lease ? { renewed, taken: other !== undefined } : undefined
        })
        assertEqual(seen, { renewed: [true], taken: false }, 'what was seen')
      },
    },
    {
      name: 'last as long as they are renewed',
      run: async ({ store }) => {
        const seen = await seenInTime(async (lease) => {
          const of = `balances, for ${lease} ms`
          let renewedAt = systemClock.now()
          const held = await claimFor(store, 'one', lease, of)
          const end = renewedAt + lease * 1.5
          while (systemClock.now() < end) {
            const now = systemClock.now()
            const [renewed] = await store.renewCheckpoints([held])
            const other = await tryClaim(store, 'two', LONG_LEASE_MS, of)
            if (systemClock.now() - renewedAt >= lease) return undefined
            if (renewed !== true || other !== undefined) return 'the lease was lost'
            renewedAt = now
            await pause(lease / 15)
          }
          return 'the lease lasted'
        })
        assertEqual(seen, 'the lease lasted', 'what was seen')
      },
    },
    {
      name: 'are not renewed by a save',
      run: async ({ store }) => {
        const held = await claimFor(store, 'one', 100)
        let position = 0
        await eventually('another owner has it, though the first one saves', async () => {
          await store.saveCheckpoint({ ...held, position: ++position })
          return (await tryClaim(store, 'two', LONG_LEASE_MS)) !== undefined
        })
      },
    },
    {
      name: 'begin anew when their owner claims again',
      run: async ({ store }) => {
        const first = await claimFor(store, 'one', SHORT_LEASE_MS)
        const second = await claimFor(store, 'one', LONG_LEASE_MS)
        await pause(SHORT_LEASE_MS * 2)
        assertEqual(await tryClaim(store, 'two', LONG_LEASE_MS), undefined, 'the claim of another')
        assertEqual(await store.renewCheckpoints([first, second]), [false, true], 'the renewals')
      },
    },
    {
      name: 'are renewed many at once, each answered by itself and in the order given',
      run: async ({ store }) => {
        const [held, released, deleted] = [
          await claimFor(store, 'one', LONG_LEASE_MS, 'held'),
          await claimFor(store, 'one', LONG_LEASE_MS, 'released'),
          await claimFor(store, 'one', LONG_LEASE_MS, 'deleted'),
        ]
        const stale = await claimFor(store, 'one', LONG_LEASE_MS, 'claimed again')
        const again = await claimFor(store, 'one', LONG_LEASE_MS, 'claimed again')
        await store.releaseCheckpoint(released.name, released.epoch)
        await store.deleteCheckpoint(deleted.name)
        const never = { name: 'never there', epoch: 1 }
        const ahead = { name: 'held', epoch: held.epoch + 1_000 }
        const answers = await store.renewCheckpoints([stale, held, released, deleted, never, again, ahead])
        assertEqual(answers, [false, true, false, false, false, true, false], 'the answers')
        assertEqual(await store.renewCheckpoints([]), [], 'the answer to nothing')
        assertEqual(await ownerOf(store, 'released'), undefined, 'the owner of what was released')
      },
    },
    {
      name: 'are answered twice where they are renewed twice in one call',
      run: async ({ store }) => {
        const held = await claimFor(store, 'one', LONG_LEASE_MS)
        const { epoch } = held
        assertEqual(await store.renewCheckpoints([held, { name, epoch }]), [true, true], 'the answers')
      },
    },
    {
      name: 'are over when they are released, however long they are',
      run: async ({ store }) => {
        const held = await claimFor(store, 'one', LONG_LEASE_MS)
        await store.releaseCheckpoint(name, held.epoch)
        assertEqual(await ownerOf(store), undefined, 'the owner')
        assertEqual(await store.renewCheckpoints([held]), [false], 'the renewal')
        await claimFor(store, 'two', LONG_LEASE_MS)
      },
    },
    {
      name: 'may be as long as a day',
      run: async ({ store }) => {
        const held = await claimFor(store, 'one', 86_400_000)
        assertEqual(await store.renewCheckpoints([held]), [true], 'the renewal')
        assertEqual(await ownerOf(store), 'one', 'the owner')
      },
    },
    {
      name: 'are seen in a list of all checkpoints, by name, with who holds them',
      run: async ({ store }) => {
        assertEqual(await store.listCheckpoints(), [], 'the list at first')
        const second = await claimFor(store, 'one', LONG_LEASE_MS, 'b')
        await store.saveCheckpoint({ ...second, position: 5, index: 2 })
        const third = await claimFor(store, 'two', LONG_LEASE_MS, 'c')
        await store.releaseCheckpoint('c', third.epoch)
        const first = await claimFor(store, 'three', SHORT_LEASE_MS, 'a')
        await hasRunOut(store, 'a')
        const expected = [
          { ...first, owner: undefined },
          { ...second, position: 5, index: 2, owner: 'one' },
          { ...third, owner: undefined },
        ]
        const listed = (await store.listCheckpoints()).map((state) => ({ ...state, owner: state.owner }))
        assertEqual(listed, expected, 'the list')
        await store.deleteCheckpoint('b')
        assertEqual(
          (await store.listCheckpoints()).map((state) => state.name),
          ['a', 'c'],
          'the names in the end',
        )
      },
    },
    {
      name: 'are listed by how the names begin, to the letter',
      run: async ({ store }) => {
        for (const odd of ['a%b', 'a_b', 'aXb', 'A%b', 'a%', 'b', '%', '漢字-1', '漢-2', 'a\\b']) {
          await claimFor(store, 'one', LONG_LEASE_MS, odd)
        }
        const named = async (prefix?: string) => (await store.listCheckpoints(prefix)).map((state) => state.name).sort()
        assertEqual(await named('a%'), ['a%', 'a%b'], 'a%')
        assertEqual(await named('a_'), ['a_b'], 'a_')
        assertEqual(await named('A'), ['A%b'], 'A')
        assertEqual(await named('漢字'), ['漢字-1'], '漢字')
        assertEqual(await named('a\\'), ['a\\b'], 'a\\')
        assertEqual(await named('nobody'), [], 'nobody')
        assertEqual((await named('')).length, 10, 'how many begin with nothing')
        assertEqual((await named()).length, 10, 'how many there are')
      },
    },
  ],
}
