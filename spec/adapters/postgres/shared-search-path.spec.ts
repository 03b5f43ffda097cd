import { afterEach, describe, expect, it } from '@jest/globals'
import { removeProjection } from 'edict/projections'
import { Add, counterRouter, recordingLogger, started, stopAll } from '../../support/counter.ts'
import { storeKinds, totals } from '../../subscribers/projection-harness.ts'
import { testDatabase } from './test-database.ts'

const postgres = storeKinds.map(([, kind]) => kind).find(({ kind }) => kind === 'postgres')
if (postgres === undefined) throw new Error('projections run on PostgreSQL')

describe('two stores in one database that make the tables of one projection in one schema', () => {
  const database = testDatabase()
  afterEach(stopAll)

  it('keep apart: the second one stops with what to do about it, and the first one goes on', async () => {
    const logger = recordingLogger()
    const run = (schema: string) =>
      started({ router: counterRouter, eventStore: database.make({ schema }), handlers: [totals(postgres)], logger })
    const first = await run('first_store')
    await first.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    const second = await run('second_store')
    await expect(second.dispatch(Add({ id: 'a', by: 5 }), { consistency: 'strong' })).rejects.toMatchObject({
      code: 'consistency_timeout',
      laggards: ['totals'],
    })
    expect(logger.entries.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/STOPPED.*give each store a search_path of its own/),
    )
    await first.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    expect(await database.sql('SELECT total FROM totals')).toEqual([{ total: 2 }])
    await stopAll()
    await removeProjection(database.make({ schema: 'first_store' }), 'totals')
  })
})
