import { afterEach, describe, expect, it } from '@jest/globals'
import {
  continueWith,
  CommandRejectedError,
  DeadlineExceededError,
  inMemoryEventStore,
  park,
  retry,
  skip,
  StoreError,
  type EventStore,
  type Snapshot,
} from 'edict'
import { Add, Counter, counterRouter, deferred, recordingLogger, started, stopAll, until } from '../support/counter.ts'
import { add, copier, heldWaits } from './process-harness.ts'

afterEach(stopAll)

const pause = (milliseconds: number) => new Promise<void>((resolve) => void setTimeout(resolve, milliseconds))

/** A store in memory, one of whose functions is the spec's own. */
function withOne<Name extends 'append' | 'readSnapshot' | 'saveSnapshot'>(
  name: Name,
  make: (real: EventStore[Name]) => EventStore[Name],
): EventStore {
  const store = inMemoryEventStore()
  const replaced: unknown = make(store[name].bind(store) as EventStore[Name])
  return new Proxy(store, {
    // As an adapter of its own, so that what it gives is looked at.
    getPrototypeOf: () => Object.prototype,
    get(target, key) {
      if (key === name) return replaced
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}

describe('an attempt that ran out of its time', () => {
  const impatient = { eventTimeout: 20, handle: () => undefined, onError: () => retry({ after: 1 }) }

  it('does not bring back what it read before the others wrote', async () => {
    let reads = 0
    const eventStore = withOne('readSnapshot', (real) => async (streamId) => {
      const found = await real(streamId)
      if (++reads === 1) await pause(100)
      return found
    })
    const manager = copier(impatient)
    const app = await started({ router: counterRouter, eventStore, handlers: [manager] })
    await add(app, 'a', 1, 2)
    await until(async () => (await app.processState(manager, 'a'))?.seen.length === 2, 'the first two')
    await pause(120)
    await add(app, 'a', 3)
    await until(async () => (await app.processState(manager, 'a'))?.seen.includes(3) === true, 'the third')
    expect(await app.processState(manager, 'a')).toEqual({ seen: [1, 2, 3] })
  })

  it('writes nothing over what came after it, be the store slow or away for a moment', async () => {
    let writes = 0
    const eventStore = withOne('saveSnapshot', (real) => async (snapshot, options) => {
      const write = ++writes
      if (write === 1) {
        await pause(60)
        throw new StoreError('away for a moment')
      }
      if (write === 2) await pause(60)
      return real(snapshot, options)
    })
    const manager = copier(impatient)
    const app = await started({ router: counterRouter, eventStore, handlers: [manager] })
    await add(app, 'a', 1, 2, 3)
    await until(async () => (await app.processState(manager, 'a'))?.seen.includes(3) === true, 'all three')
    expect(await app.processState(manager, 'a')).toEqual({ seen: [1, 2, 3] })
  })

  it('has its time again after onError has given other commands', async () => {
    const hang = deferred()
    const waits = heldWaits(30)
    const told: unknown[] = []
    const eventStore = withOne('append', (real) => async (streams, options) => {
      if (streams.some(({ streamId }) => streamId === 'counter-slow')) {
        setImmediate(waits.end)
        await hang.promise
      }
      return real(streams, options)
    })
    const manager = copier({
      eventTimeout: 30,
      handle: () => Add({ id: 'to', by: -1 }),
      onError: (error, { during }) => {
        told.push([during, (error as { readonly code?: string }).code])
        return during === 'command' ? continueWith([Add({ id: 'slow', by: 1 })]) : skip()
      },
    })
    const app = await started({ router: counterRouter, eventStore, handlers: [manager], clock: waits.clock })
    await add(app, 'a', 1)
    await until(() => told.length === 2, 'both answers')
    expect(told).toEqual([
      ['command', 'negative'],
      ['event', 'event_timeout'],
    ])
    hang.resolve()
  })
})

describe('a process manager that is stopped in the middle of an event', () => {
  it('asks nobody what becomes of it, and has it again when it is started', async () => {
    const asked: unknown[] = []
    let begun = 0
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    const manager = copier({
      handle: (_state, _data, _recorded, { signal }) => {
        if (++begun > 1) return undefined
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error)
          })
        })
      },
      onError: (error) => {
        asked.push(error)
        return skip()
      },
    })
    const app = await started({ router: counterRouter, eventStore, handlers: [manager] })
    await add(app, 'a', 1)
    await until(() => begun === 1, 'the event')
    await app.stop()
    expect(asked).toEqual([])
    await app.start()
    await until(async () => (await app.processState(manager, 'a'))?.seen.length === 1, 'the event again')
    await eventStore.close()
  })

  it('parks nothing once another owner has taken it over', async () => {
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    const fail = deferred()
    let begun = false
    const poisoned = copier({
      handle: async () => {
        begun = true
        await fail.promise
        throw new Error('too late')
      },
      onError: () => park(),
    })
    const sound = copier()
    const common = { router: counterRouter, eventStore, logger: recordingLogger() }
    const first = await started({ ...common, name: 'first', handlers: [poisoned] })
    await add(first, 'a', 1)
    await until(() => begun, 'the first owner')
    // As another node does whose look says that the lease has run out.
    await eventStore.claimCheckpoint('copier', { owner: 'second', startAfter: 0, force: true })
    await until(async () => (await first.handler('copier').status()).state === 'starting', 'word of it')
    fail.resolve()
    await first.stop()
    await eventStore.deleteCheckpoint('copier')
    const second = await started({ ...common, name: 'second', handlers: [sound] })
    await add(second, 'a', 2)
    await until(async () => (await second.processState(sound, 'a'))?.seen.length === 2, 'both events')
    expect(await second.handler('copier').parked()).toEqual([])
    await eventStore.close()
  })
})

describe('what a process manager dispatches instead of a command that failed', () => {
  it('is not held by the deadline that the command failed by', async () => {
    const errors: unknown[] = []
    let now = Date.now()
    const clock = {
      now: () => now,
      setTimeout: (callback: () => void, milliseconds: number): unknown => setTimeout(callback, milliseconds),
      clearTimeout: (handle: unknown) => {
        clearTimeout(handle as NodeJS.Timeout)
      },
    }
    const manager = copier({
      handle: (_state, _data, _recorded, { instanceId }) => {
        now += 60_000
        return Add({ id: `to-${instanceId}`, by: 1 })
      },
      onError: (error) => {
        errors.push(error)
        return continueWith([Add({ id: 'made-good', by: 1 })])
      },
    })
    const app = await started({ router: counterRouter, handlers: [manager], clock })
    await app.dispatch(Add({ id: 'from-a', by: 1 }), { deadline: now + 30_000 })
    await until(async () => (await app.aggregateState(Counter, 'made-good')).total === 1, 'what makes it good')
    expect(errors).toEqual([expect.any(DeadlineExceededError)])
  })

  it('comes to an end where each of them fails too', async () => {
    const told: unknown[] = []
    const manager = copier({
      handle: () => Add({ id: 'to', by: -1 }),
      onError: (error, { during }) => {
        told.push([during, (error as { readonly code?: string }).code])
        return during === 'command' ? continueWith([Add({ id: 'to', by: -1 })]) : skip()
      },
    })
    const app = await started({ router: counterRouter, handlers: [manager] })
    await add(app, 'a', 1)
    await until(() => told.length === 102, 'the end')
    expect(told.at(-2)).toEqual(['command', 'negative'])
    expect(told.at(-1)).toEqual(['event', 'invalid_outcome'])
  })
})

describe('a process manager without onError', () => {
  it('stops at once where a command was refused for what it is', async () => {
    const logger = recordingLogger()
    const manager = copier({ handle: () => Add({ id: 'to', by: -1 }) })
    const app = await started({ router: counterRouter, handlers: [manager], logger })
    await add(app, 'a', 1)
    await until(async () => (await app.handler('copier').status()).state === 'failed', 'the stop')
    expect((await app.handler('copier').status()).lastError).toBeInstanceOf(CommandRejectedError)
    expect(logger.entries.filter(({ message }) => message.includes('tries again'))).toEqual([])
  })
})

describe('a process manager without onError whose state cannot be read', () => {
  /** Begins with the state of an instance that an earlier one left behind, which is then stored otherwise. */
  async function beginsWith(change: Partial<Snapshot>) {
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    const before = await started({ router: counterRouter, handlers: [copier()], eventStore })
    await add(before, 'a', 1)
    await until(async () => (await before.aggregateState(Counter, 'to-a')).total === 1, 'the first event')
    await before.stop()
    const snapshot = await eventStore.readSnapshot('edict.process-copier#a')
    if (snapshot === undefined) throw new Error('no state is stored')
    await eventStore.saveSnapshot({ ...snapshot, ...change })
    const manager = copier()
    const app = await started({ router: counterRouter, handlers: [manager], eventStore, logger: recordingLogger() })
    await add(app, 'a', 2)
    const control = app.handler('copier')
    const seen: string[] = []
    await until(async () => {
      const { state } = await control.status()
      if (state === 'retrying' || state === 'failed') seen.push(state)
      return seen.length > 0
    }, 'the failure')
    return { app, control, manager, eventStore, snapshot, seen }
  }

  it('tries again where that may pass, as while the keys of a serializer are out of reach', async () => {
    const { app, control, manager, eventStore, snapshot, seen } = await beginsWith({
      contentType: 'application/x-locked',
    })
    expect(seen).toEqual(['retrying'])
    await eventStore.saveSnapshot(snapshot)
    // At once, and not after a second.
    await control.stop()
    await control.start()
    await until(async () => (await app.processState(manager, 'a'))?.seen.length === 2, 'the second event')
    await eventStore.close()
  })

  it('stops at once where that stays so, as with a version that it cannot migrate', async () => {
    const { eventStore, seen } = await beginsWith({ snapshotVersion: 2 })
    expect(seen).toEqual(['failed'])
    await eventStore.close()
  })
})

describe('a state that is none', () => {
  it.each<[string, () => never]>([
    ['a promise', (() => Promise.reject(new Error('late'))) as unknown as () => never],
    ['nothing', (() => undefined) as unknown as () => never],
  ])('is refused before any command is dispatched: %s', async (_what, initialState) => {
    const errors: unknown[] = []
    const manager = copier({
      initialState,
      onError: (error) => {
        errors.push(error)
        return skip()
      },
    })
    const app = await started({ router: counterRouter, handlers: [manager] })
    await add(app, 'a', 1)
    await until(() => errors.length === 1, 'the error')
    expect(errors).toMatchObject([{ code: 'invalid_outcome' }])
    expect((await app.aggregateState(Counter, 'to-a')).total).toBe(0)
  })
})
