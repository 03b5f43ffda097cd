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

type Node = Awaited<ReturnType<typeof node>>

/** A node of its own: another store value over the same file. */
const node = () => started({ router: counterRouter, eventStore: sqliteEventStore(join(directory, 'counters.db')) })

/**
 * Rounds in which one node is warm, the other writes, and the first sends a command without an attempt to spare, until that one meets no
 * conflict. Whoever does not follow is behind each time.
 */
async function followed(one: Node, other: Node, tenant?: string) {
  const options = tenant === undefined ? {} : { tenant }
  let rounds = 0
  let result: unknown
  await until(async () => {
    await one.dispatch(Add({ id: 'a', by: 1 }), options)
    await other.dispatch(Add({ id: 'a', by: 10 }), options)
    await other.dispatch(Add({ id: 'a', by: 100 }), options)
    rounds++
    await new Promise((resolve) => setTimeout(resolve, 20 * rounds))
    const again = await one.tryDispatch(Add({ id: 'a', by: 1_000 }), { ...options, retryAttempts: 0 })
    result = again
    return again.ok
  }, 'following')
  return { rounds, result }
}

describe('a warm aggregate', () => {
  it('learns what another node has written, so that its next command meets no conflict', async () => {
    const [one, other] = [await node(), await node()]
    const { rounds, result } = await followed(one, other)
    // Three of each round, and the one that was not refused.
    expect(result).toMatchObject({ ok: true, value: { aggregateVersion: 3 * rounds + 1 } })
    await expect(other.aggregateState(Counter, 'a')).resolves.toEqual({ total: 111 * rounds + 1_000 })
  })

  it('of a tenant learns it too', async () => {
    const [one, other] = [await node(), await node()]
    await one.dispatch(Add({ id: 'a', by: 5 }))
    const { rounds } = await followed(one, other, 'acme')
    await expect(one.aggregateState(Counter, 'a', { tenant: 'acme' })).resolves.toEqual({ total: 111 * rounds + 1_000 })
    await expect(other.aggregateState(Counter, 'a')).resolves.toEqual({ total: 5 })
  })

  it('is not kept where it is known to be behind: the next command reads it anew', async () => {
    const [one, other] = [await node(), await node()]
    const hasty = () => one.tryDispatch(Add({ id: 'a', by: 1 }), { retryAttempts: 0 })
    for (let round = 0; round < 5; round++) {
      await one.dispatch(Add({ id: 'a', by: 1 }))
      await other.dispatch(Add({ id: 'a', by: 1 }))
      // Where it has followed by then, there is no conflict to learn from.
      const first = await hasty()
      if (first.ok) continue
      expect(first.error).toBeInstanceOf(VersionConflictError)
      expect(await hasty()).toMatchObject({ ok: true })
    }
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
