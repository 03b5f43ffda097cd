import { describe, expect, it } from '@jest/globals'
import { command } from '../../lib/messages/definition.ts'
import { fingerprint } from '../../lib/messages/fingerprint.ts'
import { shape } from '../../lib/messages/shape.ts'

const Transfer = command('Transfer', shape<{ from: unknown; amount: number }>())

describe('the fingerprint of a command', () => {
  it('heeds neither the order of keys nor who gives an identity its text', () => {
    const identity = new URL('urn:account:1')
    const one = fingerprint(Transfer({ from: identity, amount: 5 }))
    expect(fingerprint(Transfer({ amount: 5, from: { toString: () => 'urn:account:1' } }))).toBe(one)
    expect(fingerprint(Transfer({ from: 'urn:account:1', amount: 5 }))).toBe(one)
  })

  it('tells plain objects apart by the text that they give of themselves', () => {
    const of = (text: string) => fingerprint(Transfer({ from: { toString: () => text }, amount: 5 }))
    expect(of('1')).not.toBe(of('2'))
  })
})
