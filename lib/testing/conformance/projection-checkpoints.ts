import { assertEqual } from './assertions.ts'
import { claim } from './checkpoints.ts'
import type { CaseGroup } from './conformance-case.ts'
import { claimFor, LONG_LEASE_MS, ownerOf, SHORT_LEASE_MS, takeOver } from './leases.ts'
import { failureOf, projectionCase } from './projection-case.ts'

export const projectionCheckpoints: CaseGroup = {
  name: 'checkpoints in transactions',
  cases: [
    projectionCase('may be saved twice in one transaction', async (projecting) => {
      const { projections, tested } = projecting
      const held = await claim(tested.store, 'one')
      await projections.transaction(async (tx) => {
        await projections.saveCheckpoint(tx, { ...held, position: 1 })
        const again = await projections.saveCheckpoint(tx, { ...held, position: 2 })
        assertEqual(again, true, 'the second save in one transaction')
      })
      assertEqual((await tested.store.readCheckpoint(held.name))?.position, 2, 'the position')
    }),
    projectionCase('are refused to one whose claim no longer holds, and stay as they are', async (projecting) => {
      const { tested, projections } = projecting
      const stale = await claimFor(tested.store, 'one', SHORT_LEASE_MS)
      const held = await takeOver(tested.store, 'two')
      const save = (epoch: number, name = held.name) =>
        projections.transaction((tx) => projections.saveCheckpoint(tx, { ...held, name, epoch, position: 9 }))
      assertEqual(await save(stale.epoch), false, 'the save of the owner before')
      assertEqual(await save(held.epoch + 1), false, 'the save with an epoch that was never given')
      assertEqual(await save(1, 'nobody'), false, 'the save of what is not there')
      await tested.store.releaseCheckpoint(held.name, held.epoch)
      assertEqual(await save(held.epoch), false, 'the save of what was released')
      assertEqual((await tested.store.readCheckpoint(held.name))?.position, 0, 'the position')
    }),
    projectionCase('that were saved are kept from others until the end of the transaction', async (projecting) => {
      const { tested, projections } = projecting
      const held = await claimFor(tested.store, 'one', SHORT_LEASE_MS)
      const claimed = await projections.transaction(async (tx) => {
        assertEqual(await projections.saveCheckpoint(tx, { ...held, position: 5 }), true, 'the save')
        // It is not waited for here: a store may let it wait for this very transaction.
        const claiming = takeOver(tested.store, 'two')
        claiming.catch(() => undefined)
        await new Promise<void>((resolve) => setTimeout(resolve, SHORT_LEASE_MS * 2))
        return { claiming }
      })
      assertEqual((await claimed.claiming).position, 5, 'the position that the next owner begins with')
    }),
    projectionCase('are given to who holds them, as they are now', async ({ tested, projections }) => {
      const { store } = tested
      const held = await claimFor(store, 'one', LONG_LEASE_MS)
      await store.saveCheckpoint({ ...held, position: 4, index: 1 })
      const lock = (name: string, epoch?: number) =>
        projections.transaction((tx) => projections.lockCheckpoint(tx, name, epoch))
      const now = { ...held, position: 4, index: 1 }
      assertEqual(await lock(held.name, held.epoch), now, 'to the one who holds it')
      assertEqual(await lock(held.name), now, 'to anybody')
      assertEqual(await lock(held.name, held.epoch + 1), undefined, 'with an epoch that was never given')
      assertEqual(await lock('nobody'), undefined, 'where there is none')
      await store.releaseCheckpoint(held.name, held.epoch)
      assertEqual(await lock(held.name, held.epoch), undefined, 'once it was released')
      assertEqual(await lock(held.name), now, 'to anybody, once it was released')
    }),
    projectionCase('that are locked are kept from others until the end', async ({ tested, projections }) => {
      const held = await claimFor(tested.store, 'one', SHORT_LEASE_MS)
      const { claiming } = await projections.transaction(async (tx) => {
        assertEqual(await projections.lockCheckpoint(tx, held.name, held.epoch), held, 'the checkpoint')
        const taking = takeOver(tested.store, 'two')
        taking.catch(() => undefined)
        await new Promise<void>((resolve) => setTimeout(resolve, SHORT_LEASE_MS * 2))
        // Had the other one come in between, this one would be fenced.
        assertEqual(await projections.saveCheckpoint(tx, { ...held, position: 8 }), true, 'the save')
        return { claiming: taking }
      })
      assertEqual((await claiming).position, 8, 'the position that the next owner begins with')
    }),
    projectionCase('show in a transaction what it has saved', async ({ tested, projections }) => {
      const held = await claim(tested.store, 'one')
      await projections.transaction(async (tx) => {
        await projections.saveCheckpoint(tx, { ...held, position: 3 })
        const locked = await projections.lockCheckpoint(tx, held.name, held.epoch)
        assertEqual(locked, { ...held, position: 3 }, 'the checkpoint')
      })
    }),
    projectionCase('are deleted with the transaction, and fence who held them', async ({ tested, projections }) => {
      const { store } = tested
      const held = await claimFor(store, 'one', LONG_LEASE_MS)
      const tooBad = new Error('too bad')
      const failure = await failureOf(
        projections.transaction(async (tx) => {
          await projections.deleteCheckpoint(tx, held.name)
          throw tooBad
        }),
      )
      assertEqual(failure === tooBad, true, 'that it fails with what was thrown')
      assertEqual(await store.readCheckpoint(held.name), held, 'the checkpoint after the rollback')
      assertEqual(await ownerOf(store), 'one', 'the owner after the rollback')
      await projections.transaction((tx) => projections.deleteCheckpoint(tx, held.name))
      assertEqual(await store.readCheckpoint(held.name), undefined, 'the checkpoint')
      assertEqual(await store.saveCheckpoint({ ...held, position: 9 }), false, 'the save of the owner before')
      const next = await claimFor(store, 'two', LONG_LEASE_MS)
      assertEqual([next.position, next.epoch > held.epoch], [0, true], 'the next claim')
      await projections.transaction((tx) => projections.deleteCheckpoint(tx, 'nobody'))
    }),
  ],
}
