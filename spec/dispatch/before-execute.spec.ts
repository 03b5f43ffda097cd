import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, reject, router, type BeforeExecuteContext } from 'edict'
import { Add, Added, Counter, counterRouter, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

const add = Add({ id: 'a', by: 1 })

type BeforeExecute = (state: { readonly total: number }, context: BeforeExecuteContext) => unknown

/** Counters that ask before they execute; `executed` counts those that were let through. */
function asking(beforeExecute: BeforeExecute) {
  let executed = 0
  const asked = router('asked', (r) =>
    r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
      aggregate: Counter,
      // What it gives is for each spec to say.
      beforeExecute: beforeExecute as never,
      to: (_counter, { by }) => {
        executed++
        return Added({ by })
      },
    }),
  )
  return { router: asked, executed: () => executed }
}

describe('beforeExecute', () => {
  it.each([false, true])('sees state and command, and lets the command through (asynchronous: %s)', async (later) => {
    const seen: unknown[] = []
    const { router } = asking(({ total }, { command, commandId }) => {
      seen.push([total, command.type, command.data, commandId])
      return later ? Promise.resolve() : undefined
    })
    const app = await started({ router })
    await app.dispatch(add, { commandId: 'c1' })
    await app.dispatch(add, { commandId: 'c2' })
    expect(seen).toEqual([
      [0, 'Add', { id: 'a', by: 1 }, 'c1'],
      [1, 'Add', { id: 'a', by: 1 }, 'c2'],
    ])
  })

  it.each([false, true])('may refuse, and nothing is executed (asynchronous: %s)', async (later) => {
    const { router, executed } = asking(() => {
      const refusal = reject('closed_today', { until: 'nine' })
      return later ? Promise.resolve(refusal) : refusal
    })
    const app = await started({ router })
    await expect(app.dispatch(add)).rejects.toMatchObject({
      code: 'closed_today',
      details: { until: 'nine' },
      outcome: 'not-executed',
    })
    expect([executed(), await app.aggregateVersion(Counter, 'a')]).toEqual([0, 0])
  })

  it.each([false, true])('that throws fails the command with its error (asynchronous: %s)', async (later) => {
    const cause = new Error('broken')
    const { router, executed } = asking(() => {
      if (later) return Promise.reject(cause)
      throw cause
    })
    const app = await started({ router })
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'command_failed', outcome: 'not-executed', cause })
    expect(executed()).toBe(0)
  })

  it.each([null, 5, 'no', false, { code: 'closed' }])('that gives %p is refused', async (garbage) => {
    const { router, executed } = asking(() => garbage)
    const app = await started({ router })
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'invalid_outcome', outcome: 'not-executed' })
    expect(executed()).toBe(0)
  })

  it('is asked again when the command is decided again, about what others have written', async () => {
    const eventStore = inMemoryEventStore()
    const seen: number[] = []
    const { router, executed } = asking(({ total }) => {
      seen.push(total)
      return total > 5 ? reject('too_much') : undefined
    })
    const one = await started({ router, eventStore })
    const other = await started({ router: counterRouter, eventStore })
    await one.dispatch(add)
    await other.dispatch(Add({ id: 'a', by: 10 }))
    await expect(one.dispatch(add)).rejects.toMatchObject({ code: 'too_much' })
    expect([seen, executed()]).toEqual([[0, 1, 11], 2])
  })
})
