import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { metadataColumn, metadataOf } from '../../../lib/adapters/sqlite/stored-metadata.ts'

describe('metadata in a column of sqliteEventStore', () => {
  it('come back as they were, whatever JSON values they are', () => {
    const values = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' })
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), values), (metadata) => {
        const read = metadataOf(metadataColumn(metadata))
        expect(Object.entries(read)).toEqual(Object.entries(metadata))
      }),
    )
  })

  it('keep -0, and what looks like it', () => {
    const metadata = { zero: 0, minus: -0, list: [-0, '-0', '\u0000edict:-0'], nested: { minus: -0 } }
    expect(metadataOf(metadataColumn(metadata))).toStrictEqual(metadata)
  })

  it('take no room where there are none', () => {
    expect(metadataColumn({})).toBeNull()
    expect(metadataOf(null)).toEqual({})
  })

  it.each(['', '{', '[]', '5', 'null', '"text"'])('are not read from %j', (column) => {
    expect(() => metadataOf(column)).toThrow(SyntaxError)
  })
})
