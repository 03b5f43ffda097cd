import { afterEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { aggregate, command, event, inMemoryEventStore, multi, reject, Rejection, router, shape } from 'edict'
import { started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

interface Line {
  readonly sku: string
  readonly tags: readonly string[]
}

const Order = command('Order', shape<{ id: string; lines: Line[] }>())
const Tag = command('Tag', shape<{ id: string; sku: string; tag: string }>())
const Clear = command('Clear', shape<{ id: string }>())
const LineAdded = event('LineAdded', shape<Line>())
const Tagged = event('Tagged', shape<{ sku: string; tag: string }>())
const Cleared = event('Cleared', shape<object>())

interface Basket {
  lines: { sku: string; tags: string[] }[]
  bySku: Map<string, number>
  last: { sku: string; tags: string[] } | undefined
}

const initialState = (): Basket => ({ lines: [], bySku: new Map(), last: undefined })

const Basket = aggregate('Basket', {
  commands: [Order, Tag, Clear],
  events: [LineAdded, Tagged, Cleared],
  initialState,
  execute: {
    Order: (basket, { lines }) =>
      multi(basket)
        .reduce('added', lines, (_now, line) => LineAdded(line))
        .execute((now, { added }) => (now.lines.length === added.lines.length ? undefined : reject('impossible')))
        .execute((now) => (now.lines.length > 20 ? reject('too_many_lines', { lines: now.lines.length }) : undefined)),
    Tag: (basket, { sku, tag }) => (basket.bySku.has(sku) ? Tagged({ sku, tag }) : reject('unknown_sku')),
    Clear: (basket) => (basket.lines.length === 0 ? [] : [Cleared({})]),
  },
  apply: {
    // Two names for one object, and an array taken from a frozen event: what a draft shared over events would get wrong.
    LineAdded: (basket, { sku, tags }) => {
      const line = { sku, tags: tags as string[] }
      basket.lines.push(line)
      basket.last = line
      basket.bySku.set(sku, (basket.bySku.get(sku) ?? 0) + 1)
    },
    Tagged: (basket, { sku, tag }) => {
      for (const line of basket.lines) if (line.sku === sku) line.tags.push(tag)
    },
    Cleared: () => initialState(),
  },
})

const baskets = router('baskets', (r) => r.identify(Basket, { by: 'id' }).dispatch([Order, Tag, Clear], { to: Basket }))

describe('an aggregate', () => {
  it('decides without a store: a state and a command give events or a rejection', () => {
    const state = Basket.fold(undefined, [LineAdded({ sku: 'a', tags: [] })])
    expect(Basket.decide(state, Tag({ id: '1', sku: 'a', tag: 'x' }))).toEqual([Tagged({ sku: 'a', tag: 'x' })])
    const rejection = Basket.decide(undefined, Tag({ id: '1', sku: 'a', tag: 'x' }))
    expect(rejection).toBeInstanceOf(Rejection)
    expect(rejection).toMatchObject({ code: 'unknown_sku' })
  })

  it('folds events into a state that is frozen at any depth', () => {
    const state = Basket.fold(undefined, [LineAdded({ sku: 'a', tags: ['x'] })])
    expect(state).toEqual({
      lines: [{ sku: 'a', tags: ['x'] }],
      bySku: new Map([['a', 1]]),
      last: { sku: 'a', tags: ['x'] },
    })
    expect(() => (state.lines as unknown[]).push(1)).toThrow(TypeError)
    expect(() => state.bySku.set('b', 1)).toThrow()
    expect(Object.isFrozen(state.lines[0]!.tags)).toBe(true)
  })

  it('folded from the stored stream is exactly what applying live gave, event by event', async () => {
    const skus = fc.constantFrom('a', 'b', 'c')
    const commands = fc.oneof(
      fc
        .record({
          lines: fc.array(fc.record({ sku: skus, tags: fc.array(fc.string(), { maxLength: 2 }) }), { maxLength: 3 }),
        })
        .map(({ lines }) => Order({ id: '1', lines })),
      fc.record({ sku: skus, tag: fc.string() }).map(({ sku, tag }) => Tag({ id: '1', sku, tag })),
      fc.constant(Clear({ id: '1' })),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { maxLength: 12 }), async (list) => {
        const eventStore = inMemoryEventStore()
        const app = await started({ router: baskets, eventStore })
        let live: unknown = initialState()
        for (const asked of list) {
          const outcome = await app
            .tryDispatch(asked as never)
            .catch((error: unknown) => ({ ok: 'thrown' as const, error }))
          if (outcome.ok === true) live = (outcome.value as { aggregateState: unknown }).aggregateState
        }
        await app.stop()
        const cold = await started({ router: baskets, eventStore })
        expect(await cold.aggregateState(Basket, '1')).toEqual(live)
        await stopAll()
      }),
      { numRuns: 60 },
    )
  })
})

describe('multi', () => {
  it('lets each step see what the ones before it left, and gives all events', () => {
    const outcome = Basket.decide(
      undefined,
      Order({
        id: '1',
        lines: [
          { sku: 'a', tags: [] },
          { sku: 'b', tags: [] },
        ],
      }),
    )
    expect(outcome).toEqual([LineAdded({ sku: 'a', tags: [] }), LineAdded({ sku: 'b', tags: [] })])
  })

  it('is all or nothing: the first rejection ends it', async () => {
    const app = await started({ router: baskets })
    const lines = Array.from({ length: 21 }, (_, index) => ({ sku: String(index), tags: [] }))
    await expect(app.dispatch(Order({ id: '1', lines }))).rejects.toMatchObject({
      code: 'too_many_lines',
      details: { lines: 21 },
    })
    expect(await app.aggregateVersion(Basket, '1')).toBe(0)
  })

  it('nests', () => {
    const Nested = aggregate('Nested', {
      commands: [Clear],
      events: [LineAdded],
      initialState: () => ({ skus: [] as string[] }),
      execute: {
        Clear: (state) =>
          multi(state)
            .execute(() => LineAdded({ sku: 'a', tags: [] }))
            .execute((now) => multi(now).execute(() => [LineAdded({ sku: `${now.skus.length}`, tags: [] })])),
      },
      apply: { LineAdded: (state, { sku }) => void state.skus.push(sku) },
    })
    expect(Nested.decide(undefined, Clear({ id: '1' }))).toEqual([
      LineAdded({ sku: 'a', tags: [] }),
      LineAdded({ sku: '1', tags: [] }),
    ])
  })
})

describe('what execute returns', () => {
  function deciding(outcome: (state: { readonly added: number }) => unknown) {
    const Any = aggregate('Any', {
      commands: [Clear],
      events: [Cleared, LineAdded],
      initialState: () => ({ added: 0 }),
      execute: { Clear: ((state: { readonly added: number }) => outcome(state)) as never },
      apply: ({ added }, { type }) => {
        if (type === 'LineAdded') throw new Error('cannot be applied')
        return { added: added + 1 }
      },
    })
    return Any.decide(undefined, Clear({ id: '1' }))
  }

  it('may be a multi of more events than a stack holds', () => {
    const events = Array.from({ length: 200_000 }, () => Cleared({}))
    expect(deciding((state) => multi(state).execute((() => events) as never))).toHaveLength(200_000)
  })

  it('may be a multi with a step of any name', () => {
    const seen: unknown[] = []
    deciding((state) =>
      multi(state)
        .execute('__proto__', (() => Cleared({})) as never)
        .execute('toString', (() => Cleared({})) as never)
        .execute(((_now: unknown, steps: Readonly<Record<string, unknown>>) => {
          seen.push(Object.keys(steps), steps['__proto__'], steps['toString'], steps['valueOf'])
        }) as never),
    )
    expect(seen).toEqual([['__proto__', 'toString'], { added: 1 }, { added: 2 }, undefined])
  })

  it.each<[string, () => unknown]>([
    ['promises', () => [1, 2, 3].map((n) => Promise.reject(new Error(`late ${n}`)))],
    ['events and promises', () => [Cleared({}), Promise.reject(new Error('late'))]],
    ['a foreign event and a promise', () => [Tagged({ sku: 'a', tag: 'b' }), Promise.reject(new Error('late'))]],
  ])('is refused as a list of %s, none of which ends the process when it fails later', async (_what, outcome) => {
    expect(() => deciding(outcome)).toThrow(expect.objectContaining({ code: 'invalid_outcome' }))
    // An unhandled rejection would be reported, and end the run, at the end of this turn.
    await new Promise(setImmediate)
  })

  it('ends no process with the promises in its list where apply fails before them', async () => {
    const failing = () => [LineAdded({ sku: 'a', tags: [] }), Promise.reject(new Error('late'))]
    expect(() => deciding(failing)).toThrow('cannot be applied')
    await new Promise(setImmediate)
  })

  it('is kept apart from the binary of the events that user code made', async () => {
    const Scan = command('Scan', shape<{ id: string; page: { bytes: Uint8Array } }>())
    const Scanned = event('Scanned', shape<{ page: { bytes: Uint8Array } }>())
    let kept: { readonly data: { readonly page: { readonly bytes: Uint8Array } } } | undefined
    const Document = aggregate('Document', {
      commands: [Scan],
      events: [Scanned],
      initialState: () => ({ pages: 0 }),
      execute: { Scan: (_state, { page }) => (kept = Scanned({ page })) as never },
      apply: {
        Scanned: (document, { page }) => {
          page.bytes[1] = 9
          document.pages++
        },
      },
    })
    const documents = router('documents', (r) => r.identify(Document, { by: 'id' }).dispatch(Scan, { to: Document }))
    const eventStore = inMemoryEventStore()
    const app = await started({ router: documents, eventStore })
    const { events } = await app.dispatch(Scan({ id: '1', page: { bytes: Uint8Array.of(1, 2) } }))
    kept!.data.page.bytes[0] = 9
    ;(events[0] as unknown as typeof kept)!.data.page.bytes[0] = 8
    const { events: stored } = await eventStore.readStream('1')
    expect(stored[0]?.data).toEqual({ page: { bytes: Uint8Array.of(1, 2) } })
  })
})

describe('the function forms', () => {
  const Functional = aggregate('Functional', {
    commands: [Clear, Tag],
    events: [Cleared, Tagged],
    initialState: () => ({ tags: [] as readonly string[], seen: [] as readonly string[] }),
    execute: (state, asked, { commandId }) => {
      switch (asked.type) {
        case 'Clear':
          return state.tags.length === 0 ? undefined : Cleared({})
        case 'Tag':
          return asked.data.tag === '' ? reject('empty_tag') : Tagged({ sku: commandId, tag: asked.data.tag })
      }
    },
    apply: (state, happened) => {
      const seen = [...state.seen, Object.keys(happened).sort().join()]
      return happened.type === 'Tagged' ? { tags: [...state.tags, happened.data.tag], seen } : { tags: [], seen }
    },
  })

  it('take the whole message, and see events alike when they are made and when they are read back', async () => {
    const eventStore = inMemoryEventStore()
    const functional = router('f', (r) =>
      r.identify(Functional, { by: 'id' }).dispatch([Clear, Tag], { to: Functional }),
    )
    const app = await started({ router: functional, eventStore })
    await app.dispatch(Tag({ id: '1', sku: 's', tag: 'x' }), { commandId: 'c1' })
    const { aggregateState } = await app.dispatch(Tag({ id: '1', sku: 's', tag: 'y' }))
    await app.stop()
    const cold = await started({ router: functional, eventStore })
    expect(await cold.aggregateState(Functional, '1')).toEqual(aggregateState)
    expect(aggregateState).toEqual({ tags: ['x', 'y'], seen: ['data,type', 'data,type'] })
  })
})

describe('a definition of an aggregate', () => {
  const good = {
    commands: [Clear],
    events: [Cleared],
    initialState: () => ({}),
    execute: { Clear: () => undefined },
    apply: { Cleared: () => undefined },
  }

  it.each<[string, object]>([
    ['without execute', { execute: undefined }],
    ['without a function for a command', { execute: {} }],
    ['with a function for a command that is not listed', { execute: { Clear: () => undefined, Tag: () => undefined } }],
    ['without a function for an event', { apply: {} }],
    ['with an initial state that is no function', { initialState: {} }],
    ['with an event among its commands', { commands: [Cleared] }],
    ['with a command twice', { commands: [Clear, Clear] }],
    ['without commands', { commands: undefined }],
  ])('%s is refused', (_what, change) => {
    expect(() => aggregate('Bad', { ...good, ...change } as never)).toThrow(
      expect.objectContaining({ code: 'invalid_definition' }),
    )
  })

  it('whose name is one of Edict’s own is refused', () => {
    expect(() => aggregate('edict.unique', good as never)).toThrow(
      expect.objectContaining({ code: 'invalid_definition', message: expect.stringContaining('reserved') as unknown }),
    )
  })

  it('without a name is refused', () => {
    expect(() => aggregate('', good as never)).toThrow(expect.objectContaining({ code: 'invalid_definition' }))
  })
})

describe('reject', () => {
  it('refuses the codes that are Edict’s own', () => {
    const code: string = 'command_timeout'
    expect(() => reject(code)).toThrow(/Edict's own/)
    expect(() => reject('')).toThrow(expect.objectContaining({ code: 'invalid_definition' }))
  })
})
