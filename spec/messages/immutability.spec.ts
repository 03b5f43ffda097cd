import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ValidationError } from '../../lib/errors.ts'
import { command, event } from '../../lib/messages/definition.ts'
import { shape } from '../../lib/messages/shape.ts'
import { areInvalidDates } from './invalid-dates.ts'

expect.addEqualityTesters([areInvalidDates])

const Made = event('Made', shape<Record<string, unknown>>())
const Asked = command('Asked', shape<Record<string, unknown>>())

class AccountNumber {
  readonly branch: string
  constructor(branch: string) {
    this.branch = branch
  }
  toString(): string {
    return `branch:${this.branch}`
  }
}

describe('a message', () => {
  it('is frozen at any depth', () => {
    const { data } = Made({ a: { b: [{ c: 1 }] } }) as unknown as { data: { a: { b: { c: number }[] } } }
    expect(() => (data.a.b[0]!.c = 2)).toThrow(TypeError)
    expect(() => data.a.b.push({ c: 3 })).toThrow(TypeError)
    expect(() => Object.assign(data, { d: 1 })).toThrow(TypeError)
  })

  it('does not change when its source does', () => {
    const source = {
      list: [1],
      map: new Map([['k', { n: 1 }]]),
      set: new Set([1]),
      date: new Date(0),
      bytes: Uint8Array.of(1),
    }
    const { data } = Made(source)
    source.list.push(2)
    source.map.get('k')!.n = 2
    source.map.set('l', { n: 3 })
    source.set.add(2)
    source.date.setTime(1)
    source.bytes[0] = 9
    expect(data).toEqual({
      list: [1],
      map: new Map([['k', { n: 1 }]]),
      set: new Set([1]),
      date: new Date(0),
      bytes: Uint8Array.of(1),
    })
  })

  it.each([
    ['flat', {}],
    ['nested', { inner: {} }],
  ])('does not change with an accessor of a source that is frozen and %s', (_kind, more) => {
    let answer = 'before'
    const made = Made(
      Object.freeze({
        ...more,
        get answer() {
          return answer
        },
      }),
    )
    answer = 'after'
    expect(made.data).toMatchObject({ answer: 'before' })
  })

  it.each([
    ['flat', {}],
    ['flat and frozen', Object.freeze({})],
    ['nested', { inner: {} }],
  ])('leaves out what stands under a symbol, as JSON does, where its source is %s', (_kind, more) => {
    const key = Symbol('key')
    const source = { ...more, [key]: { open: true } }
    const { data } = Made(Object.isFrozen(more) ? Object.freeze(source) : source)
    expect(Object.getOwnPropertySymbols(data)).toEqual([])
  })

  it('shares the flat data of the command that it is made of', () => {
    const asked = Asked({ a: 1 })
    expect(Made(asked.data as Record<string, unknown>).data).toBe(asked.data)
  })

  it('does not freeze its source', () => {
    const source = { inner: {} }
    Made(source)
    expect(Object.isFrozen(source) || Object.isFrozen(source.inner)).toBe(false)
  })

  it('holds a Date, a Map and a Set whose changing methods throw', () => {
    const { data } = Made({ date: new Date(0), map: new Map(), set: new Set() }) as unknown as {
      data: { date: Date; map: Map<string, number>; set: Set<number> }
    }
    expect(data.date).toBeInstanceOf(Date)
    for (const change of [
      () => data.date.setTime(1),
      () => data.date.setFullYear(2_000),
      () => data.date.setUTCHours(1),
      () => data.map.set('a', 1),
      () => data.map.delete('a'),
      () => {
        data.map.clear()
      },
      () => data.set.add(1),
      () => data.set.delete(1),
      () => {
        data.set.clear()
      },
    ]) {
      expect(change).toThrow(/immutable/)
    }
  })

  it('gives back exactly what it was made of', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          fc.anything({
            key: fc.string().filter((key) => key !== '__proto__'),
            withBigInt: true,
            withDate: true,
            withMap: true,
            withSet: true,
          }),
        ),
        (data) => {
          expect(Made(data).data).toEqual(data)
        },
      ),
    )
  })

  it.each([
    ['-0', -0],
    ['NaN', Number.NaN],
    ['an infinity', Infinity],
    ['NUL', 'a\0b'],
    ['a lone surrogate', '\ud800'],
    ['undefined', undefined],
    ['a bigint', 10n ** 30n],
  ])('keeps %s as it is', (_what, value) => {
    expect(Object.is((Made({ value }).data as { value: unknown }).value, value)).toBe(true)
  })

  it('keeps keys such as constructor and hasOwnProperty as data', () => {
    const data = { constructor: 1, hasOwnProperty: 2, toString: 'x' }
    expect(Made(data).data).toEqual(data)
  })

  it.each([
    ['at the top', JSON.parse('{"__proto__":{"polluted":true}}') as object, ['__proto__']],
    ['deeper', JSON.parse('{"a":[{"__proto__":1}]}') as object, ['a', 0, '__proto__']],
  ])('refuses the key __proto__ %s', (_where, data, path) => {
    expect(() => Made(data as Record<string, unknown>)).toThrow(
      expect.objectContaining({ code: 'invalid_message', issues: [expect.objectContaining({ path })] }),
    )
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a promise', Promise.resolve()],
    ['an error', new Error('e')],
  ])('refuses %s, naming its path', (_what, value) => {
    expect(() => Made({ deep: { value } })).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ path: ['deep', 'value'] })] }),
    )
  })

  it('refuses data that is nested too deep, or in a circle, without overflowing the stack', () => {
    let deep: Record<string, unknown> = {}
    for (let level = 0; level < 10_000; level++) deep = { deep }
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    expect(() => Made(deep)).toThrow(ValidationError)
    expect(() => Made(circle)).toThrow(ValidationError)
  })

  it.each([
    ['a regular expression', /x/],
    ['an error', new RangeError('e')],
    ['a list of numbers that is no Uint8Array', Float64Array.of(1)],
    ['a view of bytes', new DataView(new ArrayBuffer(1))],
    ['a buffer of bytes', new ArrayBuffer(1)],
    ['a promise', Promise.resolve()],
    ['a WeakMap', new WeakMap()],
    ['a boxed number', Object(1)],
    ['a boxed text', Object('x')],
    ['a function', () => 1],
  ])('refuses %s in a command too: it is no identity', (_what, value: unknown) => {
    expect(() => Asked({ deep: { value } })).toThrow(
      expect.objectContaining({
        code: 'invalid_message',
        issues: [expect.objectContaining({ path: ['deep', 'value'] })],
      }),
    )
  })

  it('shares an instance of a class that is an identity, in a command only', () => {
    const identity = new AccountNumber('B1')
    expect((Asked({ identity }).data as { identity: unknown }).identity).toBe(identity)
    expect(Object.isFrozen(identity)).toBe(false)
    expect(() => Made({ nested: { identity } })).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ path: ['nested', 'identity'] })] }),
    )
  })

  it('shares a plain object that was given a toString, as an identity, in a command only', () => {
    const identity = { toString: () => 'B1' }
    expect((Asked({ identity }).data as { identity: unknown }).identity).toBe(identity)
    expect(() => Made({ identity })).toThrow(ValidationError)
    expect(() => Asked({ toString: () => 'B1' })).toThrow(ValidationError)
  })

  it('refuses an instance without a text of its own in a command too', () => {
    class Opaque {
      readonly value = 1
    }
    expect(() => Asked({ identity: new Opaque() })).toThrow(ValidationError)
  })
})
