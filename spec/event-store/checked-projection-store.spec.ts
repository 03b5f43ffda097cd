import { describe, expect, it } from '@jest/globals'
import { checkedEventStore } from '../../lib/event-store/checked-event-store.ts'
import { projectionsOf } from '../../lib/event-store/checked-projection-store.ts'
import type { ProjectionStore } from '../../lib/event-store/projection-store.ts'
import { scriptedAdapter } from './scripted-adapter.ts'

const publication = { name: 'balances', version: 1, generation: 1, tables: { balances: 'balances_1' } }

/** What an open store gives to projections, where its adapter does as scripted. */
async function opened(script: Partial<ProjectionStore> = {}): Promise<ProjectionStore> {
  const projections: ProjectionStore = {
    kind: 'scripted',
    transaction: async (work) => work({}),
    lockCheckpoint: () => undefined,
    saveCheckpoint: () => true,
    deleteCheckpoint: () => undefined,
    execute: () => undefined,
    readPublication: () => undefined,
    findPublications: () => [],
    publish: () => undefined,
    unpublish: () => undefined,
    dropTables: () => undefined,
    ...script,
  }
  const store = checkedEventStore(scriptedAdapter({ projections }).adapter)
  await store.open()
  return projectionsOf(store)
}

describe('projectionsOf', () => {
  it('says which store gives nothing to projections', () => {
    const store = checkedEventStore(scriptedAdapter().adapter)
    expect(() => projectionsOf(store)).toThrow('the scripted event store has no tables for projections (projections)')
  })

  it('refuses every operation of a store that is not open', async () => {
    const projections: Partial<ProjectionStore> = { kind: 'scripted' }
    const store = checkedEventStore(scriptedAdapter({ projections: projections as ProjectionStore }).adapter)
    const closed = projectionsOf(store)
    await expect(closed.transaction(() => 1)).rejects.toMatchObject({ code: 'not_running' })
    expect(() => closed.publish({}, publication)).toThrow(expect.objectContaining({ code: 'not_running' }))
    expect(() => closed.readPublication({}, 'balances')).toThrow(expect.objectContaining({ code: 'not_running' }))
  })
})

describe('a transaction', () => {
  it('runs work at once that answers at once, for drivers that cannot wait', async () => {
    const given: unknown[] = []
    const projections = await opened({
      transaction: async (work) => {
        const answer = work({})
        given.push(answer)
        return answer
      },
    })
    expect(await projections.transaction(() => 5)).toBe(5)
    expect(given).toEqual([5])
  })

  it.each([
    ['an error', new Error('mine')],
    ['a text', 'mine'],
    ['undefined', undefined],
  ])('gives what the work threw to the caller as it is: %s', async (_, thrown) => {
    const projections = await opened()
    const throwing = () => {
      throw thrown
    }
    await expect(projections.transaction(throwing).then(fail, (error: unknown) => ({ error }))).resolves.toEqual({
      error: thrown,
    })
    await expect(
      projections.transaction(async () => throwing()).then(fail, (error: unknown) => ({ error })),
    ).resolves.toEqual({ error: thrown })
  })

  it('that could not begin was not executed', async () => {
    const projections = await opened({ transaction: () => Promise.reject(new Error('no connection')) })
    await expect(projections.transaction(() => 1)).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'not-executed',
      message: 'the scripted event store failed to run a transaction: no connection',
    })
  })

  it('whose commit failed may have been executed', async () => {
    const projections = await opened({
      transaction: async (work) => {
        await work({})
        throw new Error('connection lost')
      },
    })
    await expect(projections.transaction(() => 1)).rejects.toMatchObject({ code: 'store_failed', outcome: 'unknown' })
  })

  it('that the store gave up after the work threw is told as the store’s failure', async () => {
    const projections = await opened({
      transaction: async (work) => {
        await Promise.resolve(work({})).catch(() => undefined)
        throw new Error('cannot roll back')
      },
    })
    const failure = projections.transaction(() => Promise.reject(new Error('mine')))
    await expect(failure).rejects.toMatchObject({ code: 'store_failed', outcome: 'not-executed' })
  })
})

describe('the operations of a transaction', () => {
  it('turn what the driver throws into an error of the catalogue', async () => {
    const projections = await opened({ publish: () => Promise.reject(new Error('locked')) })
    await expect(projections.publish({}, publication)).rejects.toMatchObject({
      code: 'store_failed',
      message: 'the scripted event store failed to publish: locked',
    })
  })

  it('take an answer that makes no sense for none', async () => {
    const projections = await opened({
      saveCheckpoint: () => undefined as never,
      readPublication: () => ({ ...publication, name: 'other' }),
    })
    const checkpoint = { name: 'balances', position: 1, index: 0, epoch: 1 }
    expect(() => projections.saveCheckpoint({}, checkpoint)).toThrow('makes no sense')
    expect(() => projections.readPublication({}, 'balances')).toThrow('makes no sense')
  })
})

function fail(): never {
  throw new Error('the transaction went through')
}
