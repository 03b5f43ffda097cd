import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, type EventStore } from 'edict'
import { Add, counterRouter, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

/** The in-memory store, whose look for a command that was sent before fails while it is told to. */
function forgetful(how: 'throws' | 'rejects') {
  const store = inMemoryEventStore()
  let failing = true
  const readCommand: EventStore['readCommand'] = (...args) => {
    if (!failing) return store.readCommand(...args)
    const error = new Error('the line is dead')
    if (how === 'throws') throw error
    return Promise.reject(error)
  }
  const eventStore = new Proxy(store, {
    get(target, key) {
      if (key === 'readCommand') return readCommand
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  return { eventStore, heal: () => (failing = false) }
}

describe('a command that may have been executed before', () => {
  it.each(['throws', 'rejects'] as const)(
    'has the outcome unknown where the store %s when it is asked, and can be sent again',
    async (how) => {
      const { eventStore, heal } = forgetful(how)
      const app = await started({ router: counterRouter, eventStore })
      const again = () => app.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'once' })
      await expect(again()).rejects.toMatchObject({ code: 'store_failed', outcome: 'unknown' })
      heal()
      await expect(again()).resolves.toMatchObject({ aggregateVersion: 1 })
      await expect(again()).resolves.toMatchObject({ aggregateVersion: 1 })
    },
  )
})
