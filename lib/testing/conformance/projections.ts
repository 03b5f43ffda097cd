import { isEdictError } from '../../errors.ts'
import { projectionsOf } from '../../event-store/checked-projection-store.ts'
import type { Publication } from '../../event-store/projection-store.ts'
import { allSettled, assert, assertEqual, assertFails, range } from './assertions.ts'
import { claim } from './checkpoints.ts'
import type { CaseGroup } from './conformance-case.ts'
import { claimFor, LONG_LEASE_MS } from './leases.ts'
import { failureOf, projectionCase, TABLE, type Projecting } from './projection-case.ts'

const publicationOf = (generation: number, tables: Publication['tables']): Publication => ({
  name: 'balances',
  version: 1,
  generation,
  tables,
})

async function readPublication({ projections }: Projecting, name = 'balances'): Promise<Publication | undefined> {
  return projections.transaction((tx) => projections.readPublication(tx, name))
}

export const projections: CaseGroup = {
  name: 'projections',
  cases: [
    {
      name: 'are refused by a store that does not declare them, with its name',
      skip: (capabilities) => (capabilities.projections ? 'the store has tables for projections' : undefined),
      run: async ({ store }) => {
        assertEqual(store.projections, undefined, 'what the store gives to projections')
        const error = await assertFails(() => projectionsOf(store), 'unsupported_capability', 'projectionsOf')
        assert(error.message.includes(store.name), `the message does not name the store: ${error.message}`)
      },
    },
    projectionCase('say of what kind their transactions are', async ({ projections }) => {
      assert(typeof projections.kind === 'string' && projections.kind !== '', 'the kind is empty')
      assertEqual(await projections.transaction((tx) => typeof tx), 'object', 'what a transaction is')
    }),
    projectionCase('give what the work in a transaction gives', async ({ projections }) => {
      assertEqual(await projections.transaction(() => 5), 5, 'what was given at once')
      assertEqual(await projections.transaction(() => Promise.resolve('later')), 'later', 'what was given later')
      assertEqual(await projections.transaction(() => null), null, 'what stands for nothing')
    }),
    projectionCase('commit rows together with the checkpoint', async ({ tested, projections, harness }) => {
      const held = await claim(tested.store, 'one')
      const saved = await projections.transaction(async (tx) => {
        await harness.insert(tx, TABLE, 'a')
        await harness.insert(tx, TABLE, 'b')
        return projections.saveCheckpoint(tx, { ...held, position: 2, index: 1 })
      })
      assertEqual(saved, true, 'the save')
      assertEqual(await harness.count(TABLE), 2, 'the rows')
      assertEqual(await tested.store.readCheckpoint(held.name), { ...held, position: 2, index: 1 }, 'the checkpoint')
    }),
    projectionCase('roll rows and checkpoint back where the work throws', async (projecting) => {
      const { tested, projections, harness } = projecting
      const held = await claim(tested.store, 'one')
      const thrown = new Error('thrown by the work')
      const atOnce = projections.transaction(() => {
        throw thrown
      })
      assert((await failureOf(atOnce)) === thrown, 'it fails with something else than the work threw')
      const afterAll = projections.transaction(async (tx) => {
        await harness.insert(tx, TABLE, 'a')
        await projections.saveCheckpoint(tx, { ...held, position: 5 })
        throw thrown
      })
      assert((await failureOf(afterAll)) === thrown, 'it fails with something else than the work threw in the end')
      assertEqual(await harness.count(TABLE), 0, 'the rows')
      assertEqual(await tested.store.readCheckpoint(held.name), held, 'the checkpoint')
    }),
    projectionCase('roll rows and checkpoint back where the work rejects late', async (projecting) => {
      const { tested, projections, harness } = projecting
      const held = await claim(tested.store, 'one')
      const thrown = new Error('rejected with by the work')
      const failure = await failureOf(
        projections.transaction(async (tx) => {
          await harness.insert(tx, TABLE, 'a')
          assertEqual(await projections.saveCheckpoint(tx, { ...held, position: 5 }), true, 'the save')
          await new Promise<void>((resolve) => setTimeout(resolve, 5))
          throw thrown
        }),
      )
      assert(failure === thrown, 'it fails with something else than the work rejected with')
      assertEqual(await harness.count(TABLE), 0, 'the rows')
      assertEqual(await tested.store.readCheckpoint(held.name), held, 'the checkpoint')
    }),
    projectionCase('give the driver’s own error to the work, and through it to the caller', async (projecting) => {
      const { projections, harness } = projecting
      let seen: unknown
      const failure = await failureOf(
        projections.transaction(async (tx) => {
          await harness.insert(tx, TABLE, 'a')
          try {
            await harness.insert(tx, 'nobody_made_it', 'a')
          } catch (thrown) {
            seen = thrown
            throw thrown
          }
        }),
      )
      assert(seen !== undefined && failure === seen, 'it fails with something else than the driver said')
      assertEqual(await harness.count(TABLE), 0, 'the rows')
      await projections.transaction((tx) => harness.insert(tx, TABLE, 'a'))
      assertEqual(await harness.count(TABLE), 1, 'the rows of the next transaction')
    }),
    projectionCase('commit each by itself when many run at once', async ({ projections, harness }) => {
      const outcomes = await Promise.allSettled(
        range(1, 12).map((number) =>
          projections.transaction(async (tx) => {
            await harness.insert(tx, TABLE, `first ${number}`)
            await harness.insert(tx, TABLE, `second ${number}`)
            if (number % 3 === 0) throw new Error('every third one')
          }),
        ),
      )
      assertEqual(outcomes.filter(({ status }) => status === 'rejected').length, 4, 'how many failed')
      assertEqual(await harness.count(TABLE), 16, 'the rows')
    }),
    projectionCase('leave appends alone that run beside them', async ({ tested, projections, harness }) => {
      const work = range(1, 10).map((number) =>
        number % 2 === 0
          ? tested.write(`account-${number}`, 2)
          : projections.transaction((tx) => harness.insert(tx, TABLE, `row ${number}`)),
      )
      await Promise.all(work)
      assertEqual(await harness.count(TABLE), 5, 'the rows')
      await tested.assertEventCount(10)
    }),
    projectionCase('have published nothing at first', async (projecting) => {
      assertEqual(await readPublication(projecting), undefined, 'the publication')
    }),
    projectionCase('show readers the tables of the generation that was published', async (projecting) => {
      const { projections, harness } = projecting
      const publication = publicationOf(1, { balances: TABLE })
      await projections.transaction(async (tx) => {
        await harness.insert(tx, TABLE, 'a')
        await projections.publish(tx, publication)
      })
      assertEqual(await readPublication(projecting), publication, 'the publication')
      assertEqual(await harness.count('balances'), 1, 'the rows that readers see')
      await projections.transaction((tx) => harness.insert(tx, TABLE, 'b'))
      assertEqual(await harness.count('balances'), 2, 'the rows that readers see later')
    }),
    projectionCase('show readers another generation at one stroke', async (projecting) => {
      const { projections, harness } = projecting
      await projections.transaction((tx) => projections.publish(tx, publicationOf(1, { balances: TABLE })))
      await projections.transaction(async (tx) => {
        await harness.createTable(tx, 'balances_2')
        for (const id of ['a', 'b', 'c']) await harness.insert(tx, 'balances_2', id)
      })
      assertEqual(await harness.count('balances'), 0, 'the rows before')
      const next = { ...publicationOf(2, { balances: 'balances_2' }), version: 4 }
      await projections.transaction((tx) => projections.publish(tx, next))
      assertEqual(await harness.count('balances'), 3, 'the rows after')
      assertEqual(await readPublication(projecting), next, 'the publication')
    }),
    projectionCase('publish several tables together, and each projection by itself', async (projecting) => {
      const { projections, harness } = projecting
      const owners = { ...publicationOf(1, { owners: 'owners_1', "odd' name": TABLE }), name: 'owners' }
      await projections.transaction(async (tx) => {
        await harness.createTable(tx, 'owners_1')
        await harness.insert(tx, 'owners_1', 'zoe')
        await projections.publish(tx, owners)
        await projections.publish(tx, publicationOf(3, { balances: TABLE }))
      })
      assertEqual(await readPublication(projecting, 'owners'), owners, 'the one')
      assertEqual(await readPublication(projecting), publicationOf(3, { balances: TABLE }), 'the other')
      assertEqual([await harness.count('owners'), await harness.count("odd' name")], [1, 0], 'the rows')
    }),
    projectionCase('publish nothing where the transaction is rolled back', async (projecting) => {
      const { projections, harness } = projecting
      await projections.transaction((tx) => projections.publish(tx, publicationOf(1, { balances: TABLE })))
      await failureOf(
        projections.transaction(async (tx) => {
          await harness.createTable(tx, 'balances_2')
          await harness.insert(tx, 'balances_2', 'a')
          await projections.publish(tx, publicationOf(2, { balances: 'balances_2' }))
          throw new Error('too bad')
        }),
      )
      assertEqual(await readPublication(projecting), publicationOf(1, { balances: TABLE }), 'the publication')
      assertEqual(await harness.count('balances'), 0, 'the rows that readers see')
    }),
    projectionCase('never put a view over a table of the user’s own', async (projecting) => {
      const { projections, harness } = projecting
      await projections.transaction(async (tx) => {
        await harness.createTable(tx, 'balances')
        await harness.insert(tx, 'balances', 'mine')
      })
      await failureOf(projections.transaction((tx) => projections.publish(tx, publicationOf(1, { balances: TABLE }))))
      assertEqual(await harness.count('balances'), 1, 'the rows of the user')
      assertEqual(await readPublication(projecting), undefined, 'the publication')
    }),
    projectionCase('never put a view over one that is another publication’s', async (projecting) => {
      const { projections, harness } = projecting
      await projections.transaction((tx) => projections.publish(tx, publicationOf(1, { balances: TABLE })))
      const other = { ...publicationOf(1, { balances: 'others_1' }), name: 'others' }
      const failure = await failureOf(
        projections.transaction(async (tx) => {
          await harness.createTable(tx, 'others_1')
          await harness.insert(tx, 'others_1', 'a')
          await projections.publish(tx, other)
        }),
      )
      assertEqual(isEdictError(failure) && failure.code, 'invalid_option', 'the code')
      assertEqual(await harness.count('balances'), 0, 'the rows that readers see')
      assertEqual(await readPublication(projecting, 'others'), undefined, 'the publication')
    }),
    projectionCase('keep what a publication says beside its tables', async (projecting) => {
      const { projections } = projecting
      const made = { ...publicationOf(1, { balances: TABLE }), fingerprint: 'as they were made' }
      await projections.transaction((tx) => projections.publish(tx, made))
      assertEqual(await readPublication(projecting), made, 'the publication')
      const replaced = { ...publicationOf(1, {}), replacedBy: 'others' }
      await projections.transaction((tx) => projections.publish(tx, replaced))
      assertEqual(await readPublication(projecting), replaced, 'the publication that was replaced')
    }),
    projectionCase('find the publications that have a view', async ({ projections, harness }) => {
      const one = publicationOf(1, { balances: TABLE, totals: TABLE })
      const other = { ...publicationOf(1, { others: 'others_1' }), name: 'others' }
      const found = await projections.transaction(async (tx) => {
        await harness.createTable(tx, 'others_1')
        await projections.publish(tx, one)
        await projections.publish(tx, other)
        return [
          await projections.findPublications(tx, ['totals', 'unknown']),
          await projections.findPublications(tx, ['balances', 'others']),
          await projections.findPublications(tx, ['unknown']),
        ]
      })
      assertEqual(found, [[one], [one, other], []], 'the publications')
    }),
    projectionCase('forget a publication, with its views and without its tables', async (projecting) => {
      const { projections, harness } = projecting
      await projections.transaction((tx) => projections.publish(tx, publicationOf(1, { balances: TABLE })))
      await projections.transaction((tx) => projections.unpublish(tx, 'balances'))
      assertEqual(await readPublication(projecting), undefined, 'the publication')
      await failureOf(Promise.resolve().then(() => harness.count('balances')))
      assertEqual(await harness.count(TABLE), 0, 'the rows of the table')
      await projections.transaction((tx) => projections.unpublish(tx, 'balances'))
      await projections.transaction((tx) => projections.publish(tx, publicationOf(1, { balances: TABLE })))
      assertEqual(await harness.count('balances'), 0, 'the rows that readers see again')
    }),
    projectionCase('hide what readers saw before, where it is no longer among the tables', async (projecting) => {
      const { projections, harness } = projecting
      const both = publicationOf(1, { balances: TABLE, totals: TABLE })
      await projections.transaction((tx) => projections.publish(tx, both))
      assertEqual(await harness.count('totals'), 0, 'the rows that readers see')
      await projections.transaction((tx) => projections.publish(tx, publicationOf(2, { balances: TABLE })))
      await failureOf(Promise.resolve().then(() => harness.count('totals')))
      assertEqual(await harness.count('balances'), 0, 'the rows that readers still see')
    }),
    projectionCase('publish one after the other where several want to at once', async (projecting) => {
      const { projections } = projecting
      const publishNext = () =>
        projections.transaction(async (tx) => {
          const before = await projections.readPublication(tx, 'balances')
          await new Promise<void>((resolve) => setTimeout(resolve, 5))
          await projections.publish(tx, publicationOf((before?.generation ?? 0) + 1, { balances: TABLE }))
        })
      await allSettled(range(1, 4).map(publishNext))
      assertEqual((await readPublication(projecting))?.generation, 4, 'the generation')
    }),
    projectionCase('run statements that make tables', async ({ projections, harness }) => {
      const sql = 'CREATE TABLE made_1 (id TEXT NOT NULL); CREATE TABLE made_2 (id TEXT NOT NULL)'
      await failureOf(
        projections.transaction(async (tx) => {
          await projections.execute(tx, sql)
          throw new Error('too bad')
        }),
      )
      await projections.transaction((tx) => projections.execute(tx, sql))
      await projections.transaction(async (tx) => harness.insert(tx, 'made_2', 'a'))
      assertEqual([await harness.count('made_1'), await harness.count('made_2')], [0, 1], 'the rows')
    }),
    projectionCase('drop tables, those that are there', async ({ projections, harness }) => {
      await projections.transaction((tx) => harness.createTable(tx, 'kept'))
      await projections.transaction((tx) => projections.dropTables(tx, [TABLE, 'never_made']))
      const dropped = Promise.resolve().then(() => harness.count(TABLE))
      await failureOf(dropped)
      assertEqual(await harness.count('kept'), 0, 'the rows of what was kept')
      await projections.transaction((tx) => projections.dropTables(tx, []))
    }),
    projectionCase('drop no table where the transaction is rolled back', async ({ projections, harness }) => {
      await projections.transaction((tx) => harness.insert(tx, TABLE, 'a'))
      await failureOf(
        projections.transaction(async (tx) => {
          await projections.dropTables(tx, [TABLE])
          throw new Error('too bad')
        }),
      )
      assertEqual(await harness.count(TABLE), 1, 'the rows')
    }),
    projectionCase('are refused with bad arguments', async ({ tested, projections, harness }) => {
      const held = await claimFor(tested.store, 'one', LONG_LEASE_MS)
      // What a caller without a compiler may pass.
      const wrong = (value: unknown) => value as never
      await assertFails(() => projections.transaction(wrong(undefined)), 'invalid_option', 'no work')
      await projections.transaction(async (tx) => {
        const calls: Record<string, () => unknown> = {
          position: () => projections.saveCheckpoint(tx, { ...held, position: -1 }),
          'the checkpoint': () => projections.saveCheckpoint(tx, wrong(undefined)),
          name: () => projections.readPublication(tx, ''),
          generation: () => projections.publish(tx, publicationOf(0, { balances: TABLE })),
          tables: () => projections.publish(tx, publicationOf(1, wrong(undefined))),
          'the table of balances': () => projections.publish(tx, publicationOf(1, { balances: '' })),
          'a list of tables': () => projections.dropTables(tx, wrong(TABLE)),
        }
        for (const [named, call] of Object.entries(calls)) {
          const error = await assertFails(call, 'invalid_option', named)
          assert(error.message.includes(named), `the message does not name ${named}: ${error.message}`)
        }
      })
      assertEqual(await harness.count(TABLE), 0, 'the rows')
    }),
  ],
}
