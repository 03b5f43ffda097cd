import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { application } from 'edict'
import { physicalTable } from '../../lib/subscribers/projection-statements.ts'
import { recordingLogger, until } from '../support/counter.ts'
import { rawDatabases } from './raw-database.ts'
import { readModel } from './read-model.ts'
import { Count, tallyRouter } from './tally.ts'

const TABLE = physicalTable('counted', 'counted', 1, 1)

/** The place and the rows that came with it are forgotten together, as they were written. */
const FORGET = `BEGIN; DELETE FROM ${TABLE} WHERE position > 2;
  UPDATE checkpoints SET position = 2 WHERE name = 'counted:1.1'; COMMIT`

describe.each(rawDatabases)('%s that forgets the last commits of a read model', (_name, make) => {
  it('as one that crashed before they were on disk does, has it written anew from there', async () => {
    await using database = await make()
    await using app = application({
      name: randomUUID(),
      router: tallyRouter,
      eventStore: database.store(),
      logger: recordingLogger(),
      handlers: [readModel({ store: database.configuration, plants: [] }, () => undefined)],
      subscriptions: { lease: 500, claimInterval: 50 },
    })
    await app.start()
    const add = (id: string) => app.dispatch(Count({ id, by: 1, times: 1 }), { consistency: 'eventual' })
    for (const id of ['a', 'b', 'a', 'b']) await add(id)
    const positions = async () => (await database.query(`SELECT position FROM ${TABLE} ORDER BY number`)).map(Number)
    await until(async () => (await positions().catch(() => [])).length === 4)
    await database.execute(FORGET)
    await add('c')
    await until(async () => (await positions()).includes(5))
    expect(await positions()).toEqual([1, 2, 3, 4, 5])
  }, 180_000)
})
