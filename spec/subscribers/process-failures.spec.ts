import { afterEach, describe, expect, it } from '@jest/globals'
import {
  command,
  continueWith,
  inMemoryEventStore,
  retry,
  shape,
  skip,
  skipCommand,
  stop,
  type Clock,
  type EventStore,
  type ProcessFailure,
  type ProcessFailureContext,
} from 'edict'
import {
  Add,
  Counter,
  counterRouter,
  deferred,
  Explode,
  recordingLogger,
  started,
  stopAll,
  until,
} from '../support/counter.ts'
import { add, copier, heldWaits, type CounterApplication } from './process-harness.ts'

afterEach(stopAll)

type Definition = NonNullable<Parameters<typeof copier>[0]>

const totalOf = async (app: CounterApplication, id: string) => (await app.aggregateState(Counter, id)).total

interface Run {
  readonly app: CounterApplication
  readonly manager: ReturnType<typeof copier>
  readonly logger: ReturnType<typeof recordingLogger>
  readonly told: {
    readonly error: unknown
    readonly failure: ProcessFailure
    readonly context: ProcessFailureContext
  }[]
  readonly seen: (id: string) => Promise<readonly number[] | undefined>
}

/** Runs a process manager whose failures are kept, with what `onError` decides about each. */
async function run(
  definition: Definition,
  decide?: (
    failure: ProcessFailure,
    context: ProcessFailureContext,
    error: unknown,
  ) => ReturnType<NonNullable<Definition['onError']>>,
  eventStore: EventStore = inMemoryEventStore(),
  clock?: Clock,
): Promise<Run> {
  const told: Run['told'] = []
  const manager = copier({
    consistency: 'strong',
    ...(decide && {
      onError: (error, failure, context) => {
        told.push({
          error,
          failure,
          context: { ...context, assigns: { ...context.assigns } },
        })
        return decide(failure, context, error)
      },
    }),
    ...definition,
  })
  const logger = recordingLogger()
  const app = await started({
    router: counterRouter,
    eventStore,
    handlers: [manager],
    logger,
    defaults: { consistency: 'strong' },
    ...(clock && { clock }),
  })
  const seen = async (id: string) => (await app.processState(manager, id))?.seen
  return { app, manager, logger, told, seen }
}

const broken = new Error('broken')
const now = { after: 0 }

/** What a dispatch that waits for the process manager says once that has stopped. */
const hasStopped = { code: 'consistency_timeout', laggards: ['copier'] }

describe('a process manager whose event cannot be routed', () => {
  const throwing: Definition = {
    interested: ({ by }, { streamId }) => {
      if (by === 13) throw broken
      return streamId === 'counter-from-a' ? { start: 'a' } : undefined
    },
  }

  it('stops where nobody says otherwise, loudly, and its dispatches hear of it', async () => {
    const { app, logger, seen } = await run(throwing)
    await add(app, 'a', 1)
    await expect(add(app, 'a', 13)).rejects.toMatchObject(hasStopped)
    expect(logger.entries.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the process manager copier failed at Added, position \d+: it is STOPPED .*: broken$/),
    ])
    expect(await seen('a')).toEqual([1])
  })

  it('skips the event where onError says so, and is told what failed', async () => {
    const { app, told, seen } = await run(throwing, () => skip())
    await add(app, 'a', 1, 13, 2)
    expect(await seen('a')).toEqual([1, 2])
    expect(told).toMatchObject([{ error: broken, failure: { during: 'routing', recorded: { data: { by: 13 } } } }])
  })

  it.each([
    ['a retry', () => retry(now)],
    ['a skipped command', () => skipCommand()],
    ['other commands', () => continueWith([])],
    ['nothing', () => undefined as never],
  ])('stops where onError gives %s, which makes no sense there', async (_, decision) => {
    const { app } = await run(throwing, decision)
    await expect(add(app, 'a', 13)).rejects.toMatchObject(hasStopped)
  })

  it.each<[what: string, interested: () => unknown]>([
    ['text', () => 'a'],
    ['an unknown key', () => ({ begin: 'a' })],
    ['two interests at once', () => ({ start: 'a', stop: 'a' })],
    ['a strict stop', () => ({ stop: 'a', strict: true })],
    ['an id that is none', () => ({ start: {} })],
    ['an empty id', () => ({ start: '' })],
    ['an id without end', () => ({ start: 'x'.repeat(600) })],
    ['a promise', () => Promise.resolve({ start: 'a' })],
    ['a promise that rejects', () => Promise.reject(broken)],
  ])('takes %s from interested for a failure', async (_, interested) => {
    const { app, told } = await run({ interested: () => interested() as never }, () => skip())
    await app.dispatch(Add({ id: 'from-a', by: 1 }))
    expect(told[0]?.failure.during).toBe('routing')
  })

  it('is told of a strict start of an instance that runs, and of a strict continue of one that does not', async () => {
    const strict: Definition = {
      interested: ({ by }, { streamId }) => {
        if (streamId !== 'counter-from-a') return undefined
        return by === 1 ? { continue: 'a', strict: true } : { start: 'a', strict: true }
      },
    }
    const { app, told, seen } = await run(strict, () => skip())
    await add(app, 'a', 1, 2, 3, 1)
    expect(told.map(({ error, failure }) => [(error as { code: string }).code, failure.during])).toEqual([
      ['process_not_started', 'routing'],
      ['process_already_started', 'routing'],
    ])
    expect(await seen('a')).toEqual([2, 1])
  })
})

describe('a process manager whose event cannot be handled', () => {
  it.each<[what: string, definition: Definition]>([
    [
      'handle throws',
      {
        handle: () => {
          throw broken
        },
      },
    ],
    ['handle rejects', { handle: () => Promise.reject(broken) }],
    ['handle gives an event instead of a command', { handle: (_s, _d, recorded) => recorded as never }],
    ['handle gives text', { handle: () => 'Add' as never }],
    ['handle gives a list with a gap', { handle: () => [undefined] as never }],
    [
      'handle gives a thenable that throws',
      {
        handle: () => ({
          then: () => {
            throw broken
          },
        }),
      },
    ],
    [
      'apply throws',
      {
        apply: () => {
          throw broken
        },
      },
    ],
    ['apply gives a promise', { apply: (async () => ({ seen: [] })) as never }],
    ['apply gives nothing', { apply: (() => undefined) as never }],
    ['apply gives a state that is not plain data', { apply: () => ({ seen: [], run: () => 1 }) as never }],
    [
      'initialState throws',
      {
        initialState: () => {
          throw broken
        },
      },
    ],
    [
      'afterCommand throws',
      {
        afterCommand: () => {
          throw broken
        },
      },
    ],
    ['afterCommand gives garbage', { afterCommand: () => true as never }],
  ])('fails loudly where %s, and goes on with the next event where it is skipped', async (_, definition) => {
    const { app, told, seen } = await run(definition, () => skip())
    await add(app, 'a', 1)
    expect(told.map(({ failure }) => failure)).toMatchObject([{ during: 'event', instanceId: 'a' }])
    expect(await seen('a')).toBeUndefined()
  })

  it('tries again, tells how often, and keeps what onError assigns for the next failure', async () => {
    let left = 3
    const attempts: number[] = []
    const { app, told, seen } = await run(
      {
        handle: (_state, { by }, _recorded, { attempt, instanceId }) => {
          attempts.push(attempt)
          if (left-- > 0) throw broken
          return Add({ id: `to-${instanceId}`, by })
        },
      },
      (_failure, { assigns, failures }) => {
        assigns['last'] = failures
        return retry(now)
      },
    )
    await add(app, 'a', 5)
    expect(attempts).toEqual([1, 2, 3, 4])
    expect(told.map(({ context }) => [context.failures, context.assigns])).toEqual([
      [1, {}],
      [2, { last: 1 }],
      [3, { last: 2 }],
    ])
    expect([await seen('a'), await totalOf(app, 'to-a')]).toEqual([[5], 5])
  })

  it('dispatches its commands once, however often apply fails after them', async () => {
    let left = 2
    const { app, seen } = await run(
      {
        apply: (state, { data }) => {
          if (left-- > 0) throw broken
          return { seen: [...state.seen, data.by] }
        },
      },
      () => retry(now),
    )
    await add(app, 'a', 5)
    expect([await seen('a'), await totalOf(app, 'to-a')]).toEqual([[5], 5])
  })

  it('keeps the state of before where an event is skipped, and gives it to onError', async () => {
    const { app, told, seen } = await run(
      {
        handle: (_state, { by }) => {
          if (by === 2) throw broken
        },
      },
      () => skip(),
    )
    await add(app, 'a', 1, 2, 3)
    expect(await seen('a')).toEqual([1, 3])
    expect(told.map(({ failure }) => 'state' in failure && failure.state)).toEqual([{ seen: [1] }])
  })

  it('stops before the event where onError says so, or fails itself, and goes on there when it is started again', async () => {
    for (const decide of [
      () => stop(),
      () => {
        throw new Error('worse')
      },
      () => 'skip' as never,
    ]) {
      const eventStore = inMemoryEventStore()
      await eventStore.open()
      let failing = true
      const handle: Definition['handle'] = (_state, { by }) => {
        if (failing && by === 2) throw broken
      }
      const { app } = await run({ handle }, decide, eventStore)
      await add(app, 'a', 1)
      await expect(add(app, 'a', 2)).rejects.toMatchObject(hasStopped)
      await app.stop()
      failing = false
      const again = await run({ handle }, decide, eventStore)
      await add(again.app, 'a', 3)
      expect(await again.seen('a')).toEqual([1, 2, 3])
      await again.app.stop()
    }
  })

  it('lets other instances go on while one waits for its retry', async () => {
    const { app, seen } = await run(
      {
        concurrency: 1,
        consistency: 'eventual',
        handle: (_s, _d, _r, { instanceId }) => {
          if (instanceId === 'bad') throw broken
        },
      },
      () => retry({ after: 60_000 }),
    )
    await add(app, 'bad', 1, 2)
    await add(app, 'a', 1, 2)
    await until(async () => (await seen('a'))?.length === 2, 'the good one')
    expect(await seen('bad')).toBeUndefined()
  })
})

describe('a process manager whose command fails', () => {
  const three: Definition['handle'] = (_state, { by }) => [
    Add({ id: 'to-1', by: 1 }),
    Add({ id: 'to-2', by: by === 13 ? -1 : 1 }),
    Add({ id: 'to-3', by: 1 }),
  ]
  const totals = (app: CounterApplication) =>
    Promise.all(['to-1', 'to-2', 'to-3', 'to-4'].map((id) => totalOf(app, id)))

  it('tells what failed, in which state, and what is pending', async () => {
    const { app, told } = await run({ handle: three }, () => skip())
    await add(app, 'a', 1, 13)
    expect(told).toMatchObject([
      {
        error: { code: 'negative' },
        failure: {
          during: 'command',
          instanceId: 'a',
          state: { seen: [1] },
          recorded: { data: { by: 13 } },
          command: { type: 'Add', data: { id: 'to-2', by: -1 } },
          pending: [{ data: { id: 'to-3' } }],
        },
        context: { failures: 1, handlerName: 'copier' },
      },
    ])
  })

  it.each([
    ['skip(): those after it are left out', () => skip(), [1, 0, 0, 0]],
    ['skipCommand(): those after it are dispatched', () => skipCommand(), [1, 0, 1, 0]],
    ['continueWith(): others take their place', () => continueWith([Add({ id: 'to-4', by: 4 })]), [1, 0, 0, 4]],
    ['continueWith([]): none takes their place', () => continueWith([]), [1, 0, 0, 0]],
  ])('goes on by %s; the event counts as handled', async (_, decide, expected) => {
    const { app, seen, told } = await run({ handle: three }, decide)
    await add(app, 'a', 13)
    expect(await totals(app)).toEqual(expected)
    expect([await seen('a'), told.length]).toEqual([[13], 1])
  })

  it('tries the command again, and no other', async () => {
    const { app, told } = await run({ handle: three }, (_failure, { failures }) =>
      failures < 3 ? retry(now) : skipCommand(),
    )
    await add(app, 'a', 13)
    expect(told.map(({ context }) => context.failures)).toEqual([1, 2, 3])
    expect(await totals(app)).toEqual([1, 0, 1, 0])
  })

  it('asks again where what it goes on with fails as well', async () => {
    const { app, told } = await run({ handle: three }, (failure) =>
      failure.during === 'command' && told.length === 1
        ? continueWith([Add({ id: 'to-4', by: -4 }), Add({ id: 'to-4', by: 2 })])
        : skipCommand(),
    )
    await add(app, 'a', 13)
    expect(await totals(app)).toEqual([1, 0, 0, 2])
  })

  it('stops where it is told to, before the event', async () => {
    const { app, seen } = await run({ handle: three }, () => stop())
    await expect(add(app, 'a', 13)).rejects.toMatchObject(hasStopped)
    expect(await seen('a')).toBeUndefined()
  })

  it('is told of a command that throws, of one that nobody registers, and refuses what is none', async () => {
    const Unknown = command('Unknown', shape<{ id: string }>())
    const handle: Definition['handle'] = () => [Explode({ id: 'to-1', with: 'broken' }), Unknown({ id: 'to-1' })]
    const { app, told } = await run({ handle }, () => skipCommand())
    await add(app, 'a', 1)
    expect(told.map(({ error }) => (error as { code: string }).code)).toEqual([
      'command_failed',
      'unregistered_command',
    ])
    expect(() => continueWith('Add' as never)).toThrow('needs a list of commands')
    expect(() => continueWith([{ type: 'Add' } as never])).toThrow('needs a list of commands')
  })
})

describe('a process manager whose event takes too long', () => {
  it('is told so, gives up what hangs, and what comes of that later has no effect', async () => {
    const hanging = deferred<ReturnType<typeof Add>>()
    const waits = heldWaits(20)
    let signal: AbortSignal | undefined
    const { app, told, seen } = await run(
      {
        eventTimeout: 20,
        handle: (_state, { by }, _recorded, context) => {
          if (by !== 1) return Add({ id: 'to-a', by })
          signal = context.signal
          setImmediate(waits.end)
          return hanging.promise
        },
      },
      () => skip(),
      undefined,
      waits.clock,
    )
    await add(app, 'a', 1, 2)
    expect(told).toMatchObject([{ error: { code: 'event_timeout', timeout: 20 }, failure: { during: 'event' } }])
    expect(signal?.aborted).toBe(true)
    hanging.resolve(Add({ id: 'to-a', by: 1 }))
    await add(app, 'a', 3)
    expect([await seen('a'), await totalOf(app, 'to-a')]).toEqual([[2, 3], 5])
  })

  it('stops where nobody says otherwise', async () => {
    const { app, logger } = await run({ eventTimeout: 20, handle: () => new Promise<never>(() => undefined) })
    await expect(add(app, 'a', 1)).rejects.toMatchObject(hasStopped)
    expect(logger.entries.at(-1)?.message).toContain('ran out of its 20 ms')
  })

  it('does not count the waits before a retry', async () => {
    let left = 2
    const waits = heldWaits(200)
    const { app, told, seen } = await run(
      { eventTimeout: 200, handle: (_s, { by }) => Add({ id: 'to-a', by: left-- > 0 ? -1 : by }) },
      ({ during }) => {
        // While this is decided, and until it is tried again, no time passes for the event.
        waits.end()
        return during === 'command' ? retry({ after: 1 }) : stop()
      },
      undefined,
      waits.clock,
    )
    await app.dispatch(Add({ id: 'from-a', by: 1 }), { consistency: 'eventual' })
    await until(() => told.length >= 3, 'three failures')
    expect(told.map(({ error }) => (error as { code: string }).code)).toEqual(['negative', 'negative', 'negative'])
    expect(await seen('a')).toBeUndefined()
  })
})

describe('a process manager whose instances have nothing to do', () => {
  it('lets them go from memory after their idle time, and finds them again', async () => {
    let read = 0
    const store = inMemoryEventStore()
    await store.open()
    const counting = new Proxy(store, {
      get(target, key) {
        if (key === 'readSnapshot') {
          return (id: string) => {
            read++
            return target.readSnapshot(id)
          }
        }
        const member: unknown = Reflect.get(target, key, target)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
    const { app, seen } = await run({ idleTimeout: 5 }, undefined, counting)
    await add(app, 'a', 1)
    await until(async () => {
      const before = read
      await new Promise((resolve) => setTimeout(resolve, 20))
      await add(app, 'a', 2)
      return read > before
    }, 'a state that is read again')
    expect((await seen('a'))?.slice(0, 2)).toEqual([1, 2])
  })
})

describe('the state of a process manager that cannot be read', () => {
  const stored = async (definition: Definition = {}) => {
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    const { app } = await run(definition, undefined, eventStore)
    await add(app, 'a', 1)
    await app.stop()
    return eventStore
  }

  it('is an error that comes to onError, and never a fresh state', async () => {
    const eventStore = await stored()
    const snapshot = await eventStore.readSnapshot('edict.process-copier#a')
    await eventStore.saveSnapshot({ ...snapshot!, contentType: 'application/x-unknown' })
    const { app, told, manager } = await run({}, () => skip(), eventStore)
    await add(app, 'a', 2)
    expect(told).toMatchObject([
      { error: { code: 'unreadable_state' }, failure: { during: 'event', instanceId: 'a', state: undefined } },
    ])
    await expect(app.processState(manager, 'a')).rejects.toMatchObject({ code: 'unreadable_state' })
  })

  it('is that of another version, without migrateState', async () => {
    const eventStore = await stored()
    const { app, told } = await run({ stateVersion: 2 }, () => skip(), eventStore)
    await add(app, 'a', 2)
    expect(told).toMatchObject([
      { error: { code: 'unreadable_state', message: expect.stringContaining('migrateState') } },
    ])
  })

  it('is brought to the shape of today by migrateState, which is told its version', async () => {
    const eventStore = await stored()
    const versions: number[] = []
    const migrateState = (old: unknown, version: number) => {
      versions.push(version)
      return { seen: [...(old as { seen: number[] }).seen, 100] }
    }
    const { app, seen } = await run({ stateVersion: 2, migrateState }, undefined, eventStore)
    await add(app, 'a', 2)
    expect(await seen('a')).toEqual([1, 100, 2])
    expect(versions).toEqual([1])
  })
})

describe('a process manager that is stopped', () => {
  it('lets the event in hand end, and leaves the others for later', async () => {
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    const inHand = deferred()
    const begun: number[] = []
    const handle: Definition['handle'] = async (_state, { by }, _recorded, { instanceId }) => {
      begun.push(by)
      if (by === 1) await inHand.promise
      return Add({ id: `to-${instanceId}`, by })
    }
    const first = await run({ handle, consistency: 'eventual' }, undefined, eventStore)
    await first.app.dispatch(Add({ id: 'from-a', by: 1 }))
    await first.app.dispatch(Add({ id: 'from-a', by: 2 }))
    await until(() => begun.length === 1, 'the first event')
    const stopping = first.app.stop()
    // In memory, the stop comes to the process managers within a turn.
    await new Promise(setImmediate)
    inHand.resolve()
    await stopping
    expect(begun).toEqual([1])
    const second = await run({ handle }, undefined, eventStore)
    await add(second.app, 'a', 3)
    expect(await second.seen('a')).toEqual([1, 2, 3])
    expect(await totalOf(second.app, 'to-a')).toBe(6)
  })

  it('is left behind where it hangs', async () => {
    const { app } = await run({ consistency: 'eventual', handle: () => new Promise<never>(() => undefined) })
    await app.dispatch(Add({ id: 'from-a', by: 1 }))
    await app.stop()
  }, 180_000)
})
