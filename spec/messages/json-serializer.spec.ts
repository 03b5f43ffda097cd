import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { jsonSerializer } from '../../lib/messages/json-serializer.ts'
import { areInvalidDates } from './invalid-dates.ts'

const CONTEXT = { type: 'T', schemaVersion: 1, streamId: 's', category: 'c', metadata: {} }

expect.addEqualityTesters([areInvalidDates])

function roundTrip(value: unknown): unknown {
  return jsonSerializer.decode(jsonSerializer.encode(value, CONTEXT) as string, CONTEXT)
}

describe('the JSON serializer', () => {
  it('writes plain data as plain JSON', () => {
    expect(jsonSerializer.encode({ a: [1, 'x', null, true] }, CONTEXT)).toBe('{"a":[1,"x",null,true]}')
  })

  it('gives every value that a message may hold back exactly', () => {
    const values = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: false,
      withObjectString: false,
    })
    fc.assert(
      fc.property(
        values.filter((value) => value !== undefined),
        (value) => {
          expect(roundTrip(value)).toEqual(value)
        },
      ),
    )
  })

  it.each([
    ['-0', -0],
    ['NaN', Number.NaN],
    ['infinities', [Infinity, -Infinity]],
    ['NUL and lone surrogates', 'a\0b\ud800c'],
    ['binary', Uint8Array.from({ length: 300 }, (_, index) => index % 256)],
    ['undefined inside an object', { a: undefined }],
    ['an object that looks like an encoded value', { $date: 5 }],
    ['an object that looks like a wrapped one', { $object: { $date: 5 } }],
  ])('keeps %s', (_what, value) => {
    expect(roundTrip({ value })).toStrictEqual({ value })
  })

  it('keeps an invalid date', () => {
    expect((roundTrip(new Date(Number.NaN)) as Date).getTime()).toBeNaN()
  })
})
