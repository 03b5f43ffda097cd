import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { VersionConflictError } from 'edict'
import { sqliteEventStore } from 'edict/sqlite'
import { Add, Counter, counterRouter, started, stopAll, until } from '../support/counter.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edict-warm-'))
})

afterEach(async () => {
  await stopAll()
  rmSync(directory, { recursive: true, force: true })
})

/** A node of its own: another store value over the same file. */
const node = () => started({ router: counterRouter, eventStore: sqliteEventStore(join(directory, 'counters.db')) })

describe('a warm aggregate', () => {
  it('learns what another node has written, so that its next command meets no conflict', async () => {
    const [one, other] = [await node(), await node()]
    await one.dispatch(Add({ id: 'a', by: 1 }))
    await other.dispatch(Add({ id: 'a', by: 10 }))
    await other.dispatch(Add({ id: 'a', by: 100 }))
    // Without attempts to spare, a command on a state of before fails, each time, and changes nothing.
    let result: unknown
    await until(async () => {
      try {
        result = await one.dispatch(Add({ id: 'a', by: 1_000 }), { retryAttempts: 0 })
        return true
      } catch (error) {
        if (error instanceof VersionConflictError) return false
        throw error
      }
    }, 'following')
    expect(result).toMatchObject({ aggregateVersion: 4, aggregateState: { total: 1_111 } })
  })

  it('of a tenant learns it too', async () => {
    const [one, other] = [await node(), await node()]
    const tenant = 'acme'
    await one.dispatch(Add({ id: 'a', by: 1 }), { tenant })
    await one.dispatch(Add({ id: 'a', by: 5 }))
    await other.dispatch(Add({ id: 'a', by: 10 }), { tenant })
    await until(async () => {
      const again = one.tryDispatch(Add({ id: 'a', by: 100 }), { tenant, retryAttempts: 0 })
      return (await again).ok
    }, 'following')
    await expect(one.aggregateState(Counter, 'a', { tenant })).resolves.toEqual({ total: 111 })
    await expect(other.aggregateState(Counter, 'a')).resolves.toEqual({ total: 5 })
  })

  it('is right at once all the same: a command that is too early meets the conflict and is decided again', async () => {
    const [one, other] = [await node(), await node()]
    await one.dispatch(Add({ id: 'a', by: 1 }))
    for (let round = 0; round < 20; round++) {
      const [left, right] = round % 2 === 0 ? [one, other] : [other, one]
      await left.dispatch(Add({ id: 'a', by: 1 }))
      await right.dispatch(Add({ id: 'a', by: 1 }))
    }
    await expect(one.aggregateState(Counter, 'a')).resolves.toEqual({ total: 41 })
  })

  it('takes its place among the commands: two nodes that write at the same time lose nothing', async () => {
    const [one, other] = [await node(), await node()]
    const adds = Array.from({ length: 60 }, (_, index) =>
      (index % 2 === 0 ? one : other).dispatch(Add({ id: `counter-${index % 3}`, by: 1 }), { retryAttempts: 100 }),
    )
    await Promise.all(adds)
    for (const app of [one, other]) {
      for (const id of ['counter-0', 'counter-1', 'counter-2']) {
        await expect(app.aggregateState(Counter, id)).resolves.toEqual({ total: 20 })
      }
    }
  })
})
