import { describe, expect, it } from '@jest/globals'
import { aggregate, command, event, shape } from 'edict'
import { frozenState } from '../../lib/aggregate/frozen-state.ts'

class Account {
  balance = 0
  readonly tags: string[] = []
}

describe('a frozen state', () => {
  it.each<[string, () => { readonly state: unknown; readonly change: () => unknown }]>([
    [
      'an instance of a class',
      () => {
        const state = new Account()
        return { state, change: () => (state.balance = 1) }
      },
    ],
    [
      'what an instance of a class holds',
      () => {
        const state = { account: new Account() }
        return { state, change: () => state.account.tags.push('x') }
      },
    ],
    [
      'what lies in an object that its user froze',
      () => {
        const state = Object.freeze({ items: [] as string[] })
        return { state, change: () => state.items.push('x') }
      },
    ],
    [
      'what lies in a list that its user froze',
      () => {
        const state = { lists: Object.freeze([[1]]) }
        return { state, change: () => state.lists[0]?.push(2) }
      },
    ],
    [
      'a Date',
      () => {
        const state = { at: new Date(0) }
        return { state, change: () => state.at.setTime(1) }
      },
    ],
    [
      'a Map',
      () => {
        const state = new Map([['a', { n: 1 }]])
        return { state, change: () => state.set('b', { n: 2 }) }
      },
    ],
    [
      'a value of a Map',
      () => {
        const state = new Map([['a', { n: 1 }]])
        return { state, change: () => (state.get('a')!.n = 2) }
      },
    ],
    [
      'a Set',
      () => {
        const state = { set: new Set([1]) }
        return { state, change: () => state.set.add(2) }
      },
    ],
    [
      'an item of a Set',
      () => {
        const item = { n: 1 }
        return { state: { set: new Set([item]) }, change: () => (item.n = 2) }
      },
    ],
    [
      'an object without a prototype',
      () => {
        const state = { bare: Object.assign(Object.create(null) as { n: number }, { n: 1 }) }
        return { state, change: () => (state.bare.n = 2) }
      },
    ],
  ])('does not let %s be changed', (_what, make) => {
    const { state, change } = make()
    expect(frozenState(state)).toBe(state)
    expect(change).toThrow(TypeError)
  })

  it('keeps its Dates, Maps and Sets what they were, to those who read them', () => {
    const state = frozenState({ at: new Date(5), map: new Map([['a', 1]]), set: new Set([1]) })
    expect(state).toStrictEqual({ at: new Date(5), map: new Map([['a', 1]]), set: new Set([1]) })
    expect(structuredClone(state).at.getTime()).toBe(5)
  })

  it('may hold binary, which cannot be frozen', () => {
    expect(() => frozenState({ bytes: Uint8Array.of(1), view: new DataView(new ArrayBuffer(1)) })).not.toThrow()
  })

  it('may lie in circles, frozen or not', () => {
    const open: Record<string, unknown> = { list: [] }
    open['self'] = open
    const closed: Record<string, unknown> = { list: [] }
    closed['self'] = closed
    Object.freeze(closed)
    frozenState(open)
    frozenState(closed)
    expect([open, closed].map(({ list }) => Object.isFrozen(list))).toEqual([true, true])
  })

  it('may be of any depth', () => {
    let list: { next: unknown } = { next: undefined }
    const last = list
    for (let depth = 0; depth < 50_000; depth++) list = { next: list }
    frozenState(list)
    expect(Object.isFrozen(last)).toBe(true)
  })

  /** A part of a state that counts how often it is walked through. */
  function counted(): { readonly part: object; walks(): number } {
    let walks = 0
    const part = new Proxy([{}], {
      get(target, key, receiver): unknown {
        if (key === 'length') walks++
        return Reflect.get(target, key, receiver)
      },
    })
    return { part, walks: () => walks }
  }

  it.each<[string, (part: object) => readonly [object, object]]>([
    [
      'stays where it was',
      (part) => [
        { a: { part }, n: 1 },
        { a: { part }, n: 2 },
      ],
    ],
    ['stays in a list that grows in front of it', (part) => [{ list: [{}, part] }, { list: [{}, {}, part] }]],
    ['stays in a list that shrinks in front of it', (part) => [{ list: [{}, part] }, { list: [part] }]],
    ['moves about in a list', (part) => [{ list: [part, {}, {}, {}] }, { list: [{}, {}, {}, part] }]],
    [
      'stays under the key of a Map',
      (part) => [
        new Map([['a', part]]),
        new Map([
          ['b', {}],
          ['a', part],
        ]),
      ],
    ],
    ['stays in a Set', (part) => [new Set([part]), new Set([{}, part])]],
  ])('is not walked through again where a part %s', (_what, make) => {
    const { part, walks } = counted()
    const [before, after] = make(part)
    frozenState(before)
    const walked = walks()
    frozenState(after, before)
    expect([walked > 0, walks() - walked]).toEqual([true, 0])
  })

  it('is what initialState and apply give, also where they give frozen objects and instances of classes', () => {
    const Add = command('Add', shape<{ item: string }>())
    const Added = event('Added', shape<{ item: string }>())
    class Items {
      readonly items: readonly string[]
      constructor(items: readonly string[]) {
        this.items = items
      }
    }
    const Bag = aggregate('Bag', {
      commands: [Add],
      events: [Added],
      initialState: () => new Items([]),
      execute: (_bag, { data }) => Added(data),
      apply: (bag, { data }) => Object.freeze(new Items([...bag.items, data.item])),
    })
    const first = Bag.initialState()
    const next = Bag.fold(first, [{ type: 'Added', data: { item: 'x' } }] as never)
    expect(next.items).toEqual(['x'])
    for (const { items } of [first, next]) expect(() => (items as string[]).push('y')).toThrow(TypeError)
    expect(() => ((next as { items: unknown }).items = [])).toThrow(TypeError)
  })
})
