import { describe, expect, it } from '@jest/globals'
import { isPromiseLike } from '../../lib/effects/maybe-promise.ts'
import { NotRunningError, StoreError, VersionConflictError } from '../../lib/errors.ts'
import { checkedEventStore } from '../../lib/event-store/checked-event-store.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import { sampleAppend, sampleEvent } from './sample-append.ts'
import { scriptedAdapter } from './scripted-adapter.ts'

/** An open store over a scripted adapter. */
function openedStore(script: Partial<EventStore> = {}) {
  const { adapter, calls } = scriptedAdapter(script)
  const store = checkedEventStore(adapter)
  void store.open()
  calls.length = 0
  return { store, calls }
}

async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (thrown) {
    return thrown
  }
  throw new Error('the call went through')
}

const encoded = {
  atomicStreams: false,
  durable: true,
  multiProcess: true,
  projections: false,
  commands: false,
  values: 'encoded',
} as const

describe('checkedEventStore', () => {
  it('gives a store that is checked already back as it is', () => {
    const store = checkedEventStore(scriptedAdapter().adapter)
    expect(checkedEventStore(store)).toBe(store)
  })

  it('has the name and the capabilities of the adapter', () => {
    const { adapter } = scriptedAdapter()
    const { name, capabilities } = checkedEventStore(adapter)
    expect([name, capabilities]).toEqual(['scripted', adapter.capabilities])
  })

  describe('opening and closing', () => {
    it('shows the adapter one open and one close for many pairs', async () => {
      const { adapter, calls } = scriptedAdapter()
      const store = checkedEventStore(adapter)
      for (const operation of ['open', 'open', 'close', 'open', 'close', 'close', 'open', 'close'] as const) {
        await store[operation]()
      }
      expect(calls).toEqual(['open', 'close', 'open', 'close'])
    })

    it('shows an adapter that takes its time open and close in turn, however they are called', async () => {
      const calls: string[] = []
      const slowly = (name: string) => async () => {
        calls.push(`${name} begins`)
        await new Promise((resolve) => setImmediate(resolve))
        calls.push(`${name} ends`)
      }
      const store = checkedEventStore(scriptedAdapter({ open: slowly('open'), close: slowly('close') }).adapter)
      await Promise.all([store.open(), store.open(), store.close(), store.close(), store.open()])
      expect(calls).toEqual(['open begins', 'open ends', 'close begins', 'close ends', 'open begins', 'open ends'])
      expect(store.headPosition()).toBe(0)
    })

    it('can be opened again after an open that failed', async () => {
      let fails = true
      const open = async () => {
        if (fails) throw new Error('no disk')
      }
      const store = checkedEventStore(scriptedAdapter({ open }).adapter)
      const outcomes = await Promise.allSettled([store.open(), store.open()])
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      expect(await failureOf(() => store.headPosition())).toBeInstanceOf(NotRunningError)
      fails = false
      await store.open()
      expect(store.headPosition()).toBe(0)
    })

    it('is closed after a close that failed', async () => {
      const { store } = openedStore({ close: () => Promise.reject(new Error('no disk')) })
      expect(await failureOf(() => store.close())).toMatchObject({ code: 'store_failed' })
      expect(await failureOf(() => store.headPosition())).toBeInstanceOf(NotRunningError)
    })

    it('says which operation of which store came too early', async () => {
      const store = checkedEventStore(scriptedAdapter().adapter)
      const message = 'readAll: the scripted event store is not open; call open() first'
      expect(await failureOf(() => store.readAll())).toMatchObject({ message, outcome: 'not-executed' })
    })
  })

  describe('answers', () => {
    it('come at once where the adapter answers at once, and as a promise where it gives one', async () => {
      const { store } = openedStore({ headPosition: () => Promise.resolve(7) })
      expect(store.append([sampleAppend('account-1')])).toEqual([
        { status: 'appended', streamVersion: 1, firstPosition: 1 },
      ])
      expect(isPromiseLike(store.headPosition())).toBe(true)
      expect(await store.headPosition()).toBe(7)
    })

    it.each([
      [
        'thrown',
        () => {
          throw new TypeError('disk on fire')
        },
      ],
      ['rejected with', () => Promise.reject(new TypeError('disk on fire'))],
    ])('say that the outcome of an append is unknown when something foreign is %s', async (_, append) => {
      const { store } = openedStore({ append })
      const error = await failureOf(() => store.append([sampleAppend('account-1')]))
      expect(error).toBeInstanceOf(StoreError)
      expect(error).toMatchObject({
        message: 'the scripted event store failed to append: disk on fire',
        outcome: 'unknown',
        cause: new TypeError('disk on fire'),
      })
    })

    it('keep the outcome that the adapter tells of', async () => {
      const known = new StoreError('the disk is full', { outcome: 'not-executed' })
      const { store } = openedStore({ append: () => Promise.reject(known) })
      expect(await failureOf(() => store.append([sampleAppend('account-1')]))).toBe(known)
    })

    it('keep every error of the catalogue as it is', async () => {
      const conflict = new VersionConflictError('account-1', 1, 2)
      const { store } = openedStore({
        readStream: () => {
          throw conflict
        },
      })
      expect(await failureOf(() => store.readStream('account-1'))).toBe(conflict)
    })

    it.each<[string, unknown]>([
      ['nothing', undefined],
      ['null', null],
      ['an empty list', []],
      ['a result without places', [{ status: 'appended' }]],
      ['a status that nobody knows', [{ status: 'fine' }]],
    ])('to an append that make no sense (%s) leave its outcome unknown, at once or later', async (_, answer) => {
      for (const append of [() => answer, () => Promise.resolve(answer)]) {
        const { store } = openedStore({ append: append as never })
        expect(await failureOf(() => store.append([sampleAppend('account-1')]))).toMatchObject({
          code: 'store_failed',
          outcome: 'unknown',
        })
      }
    })

    it('to reading that make no sense are failures of the store', async () => {
      const { store } = openedStore({ readStream: () => undefined as never, readCommand: () => ({}) as never })
      expect(await failureOf(() => store.readStream('a'))).toMatchObject({ code: 'store_failed' })
      expect(await failureOf(() => store.readCommand('a', 'c'))).toMatchObject({ code: 'store_failed' })
    })

    it('that are promises of a library of their own come as real ones', async () => {
      const slice = { events: [], streamVersion: 0, category: undefined }
      const thenable = {
        then: (resolve: (answer: unknown) => void) => {
          resolve(slice)
        },
      }
      const { store } = openedStore({ readStream: () => thenable as never })
      const answer = store.readStream('a')
      expect(answer).toBeInstanceOf(Promise)
      expect(await answer).toEqual(slice)
    })

    it('say that nothing was done when anything but an append fails', async () => {
      const { store } = openedStore({ readAll: () => Promise.reject('a text') })
      const message = 'the scripted event store failed to read all: a text'
      expect(await failureOf(() => store.readAll())).toMatchObject({
        message,
        outcome: 'not-executed',
        cause: 'a text',
      })
    })
  })

  describe('arguments', () => {
    it('that are bad never reach the adapter', async () => {
      const { store, calls } = openedStore()
      const bad = [
        () => store.append([]),
        () => store.append([sampleAppend('')]),
        () => store.readStream('account-1', { fromVersion: 0 }),
        () => store.readAll({ maxCount: 0.5 }),
        () => store.saveCheckpoint({ name: 'a', position: -1, index: 0, epoch: 1 }),
      ]
      for (const call of bad) expect(await failureOf(call)).toMatchObject({ code: 'invalid_option' })
      expect(calls).toEqual([])
    })

    it('are described in one clear sentence', async () => {
      const { store } = openedStore()
      const messageOf = async (call: () => unknown) => ((await failureOf(call)) as Error).message
      expect(await messageOf(() => store.append([sampleAppend('a\0b')]))).toBe(
        'append: streamId must not contain a NUL character',
      )
      expect(await messageOf(() => store.append([sampleAppend('a'.repeat(513))]))).toBe(
        'append: streamId must not be longer than 512 characters; it has 513',
      )
      expect(await messageOf(() => store.append([sampleAppend('a'), sampleAppend('b'), sampleAppend('a')]))).toBe(
        'append: the stream a stands twice in one call',
      )
      expect(await messageOf(() => store.append([sampleAppend('a', 1, { expectedVersion: -1 })]))).toBe(
        "append: expectedVersion must be 'any', 'none', 'exists' or a whole number of at least 0, not -1",
      )
      expect(await messageOf(() => store.readAll({ fromVersion: 1 } as never))).toBe(
        'readAll: unknown option "fromVersion"; the options are fromPosition, maxCount, direction, types, category, correlationId, tenant',
      )
    })

    it('of an atomic append are refused by name where the store is not capable of it', async () => {
      const { store, calls } = openedStore({ capabilities: encoded })
      const error = await failureOf(() => store.append([sampleAppend('account-1')], { atomic: true }))
      expect(error).toMatchObject({
        code: 'unsupported_capability',
        message: 'the scripted event store has no atomic append to several streams (atomicStreams)',
      })
      expect(calls).toEqual([])
    })

    it('must be encoded for a store that keeps encoded data, with ids that any database can hold', async () => {
      const { store, calls } = openedStore({ capabilities: encoded })
      const append = (event: object) => () =>
        store.append([sampleAppend('a', 1, { events: [sampleEvent({ data: '{}', ...event })] })])
      expect(await failureOf(append({ data: {} }))).toMatchObject({ code: 'invalid_option' })
      expect(await failureOf(append({ eventId: 'a\0' }))).toMatchObject({ code: 'invalid_option' })
      expect(await failureOf(append({ correlationId: '\ud800' }))).toMatchObject({ code: 'invalid_option' })
      expect(calls).toEqual([])
      await append({ data: Uint8Array.of(0) })()
      expect(calls).toEqual(['append'])
    })
  })

  describe('watching', () => {
    /** A store whose adapter contains nothing, and tells those who have gone. */
    function carelessStore() {
      const listeners: ((headPosition?: number) => void)[] = []
      let ended = 0
      const { store } = openedStore({
        watch: (listener) => {
          listeners.push(listener)
          return () => ended++
        },
      })
      return { store, tell: () => listeners.forEach((listener) => listener(3)), ended: () => ended }
    }

    it('keeps from the adapter what a listener throws', () => {
      const { store, tell } = carelessStore()
      const told: unknown[] = []
      store.watch(() => {
        throw new Error('a listener that throws')
      })
      store.watch((headPosition) => told.push(headPosition))
      expect(tell).not.toThrow()
      expect(told).toEqual([3])
    })

    it('tells nobody whose watch has ended, and ends the watch of the adapter once', () => {
      const { store, tell, ended } = carelessStore()
      const told: unknown[] = []
      const end = store.watch((headPosition) => told.push(headPosition))
      end()
      end()
      tell()
      expect([told, ended()]).toEqual([[], 1])
    })
  })
})
