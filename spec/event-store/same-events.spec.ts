import { describe, expect, it } from '@jest/globals'
import { sameData, sameEvents } from '../../lib/event-store/same-events.ts'
import { sampleEvent } from './sample-append.ts'

const alike: readonly (readonly [string, () => unknown])[] = [
  ['primitives', () => ['a', 1, true, null, undefined, 10n]],
  ['NaN and -0', () => [Number.NaN, -0]],
  ['nested objects and lists', () => ({ a: [{ b: { c: [] } }], d: {} })],
  ['dates', () => [new Date(5), new Date(Number.NaN)]],
  ['maps and sets', () => ({ map: new Map([['a', { b: 1 }]]), set: new Set([1, 'b']) })],
  ['binary', () => Uint8Array.of(1, 2, 3)],
]

const unlike: readonly (readonly [string, unknown, unknown])[] = [
  ['a number and its text', 1, '1'],
  ['0 and -0', 0, -0],
  ['null and undefined', null, undefined],
  ['null and an object', null, {}],
  ['a list and an object', [], {}],
  ['lists of other lengths', [1], [1, undefined]],
  ['lists in another order', [1, 2], [2, 1]],
  ['a missing key and an undefined one', {}, { a: undefined }],
  ['keys of other names', { a: undefined }, { b: undefined }],
  ['own keys and inherited ones', { toString: undefined }, { valueOf: undefined }],
  ['dates', new Date(5), new Date(6)],
  ['a date and an object', new Date(5), {}],
  ['maps with other values', new Map([['a', 1]]), new Map([['a', 2]])],
  ['a map and a set', new Map(), new Set()],
  ['sets with other values', new Set([1]), new Set([2])],
  ['binary of other bytes', Uint8Array.of(1), Uint8Array.of(2)],
  ['binary and a list', Uint8Array.of(1), [1]],
]

describe('sameData', () => {
  it.each(alike)('finds two copies of %s the same', (_, make) => {
    expect(sameData(make(), make())).toBe(true)
  })

  it('does not mind the order of keys', () => {
    expect(sameData({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true)
  })

  it.each(unlike)('tells %s apart', (_, one, other) => {
    expect([sameData(one, other), sameData(other, one)]).toEqual([false, false])
  })
})

describe('sameEvents', () => {
  const event = sampleEvent()

  it('looks at id, type, schema version, content type and data alone', () => {
    const again = {
      ...event,
      metadata: { user: 'zoe' },
      correlationId: 'x',
      causationId: 'y',
      createdAt: 0,
      tenant: 'z',
    }
    expect(sameEvents([event], [again])).toBe(true)
  })

  it.each([{ eventId: 'x' }, { type: 'X' }, { schemaVersion: 2 }, { contentType: 'x' }, { data: { amount: 6 } }])(
    'tells events apart by %j',
    (change) => {
      expect(sameEvents([event], [{ ...event, ...change }])).toBe(false)
    },
  )

  it('tells lists of other lengths apart', () => {
    expect([sameEvents([event], []), sameEvents([event], [event, event])]).toEqual([false, false])
  })

  it('of tombstones compares all but the data, which is gone', () => {
    const event = sampleEvent()
    const left = { ...event, data: undefined, metadata: {}, tombstone: true } as const
    expect(sameEvents([left], [event])).toBe(true)
    expect(sameEvents([left], [{ ...event, type: 'Other' }])).toBe(false)
    expect(sameEvents([left], [event, event])).toBe(false)
    expect(sameEvents([{ ...event, data: undefined }], [event])).toBe(false)
  })
})
