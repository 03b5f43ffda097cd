import { describe, expect, it } from '@jest/globals'
import { identityText } from '../../lib/routing/identity.ts'

describe('an identity', () => {
  it('may be an object of a class that has a text of its own', () => {
    expect(identityText(new URL('urn:account:1'), 'Open.account')).toBe('urn:account:1')
  })

  it.each<[string, unknown]>([
    ['a regular expression', /x/],
    ['an error', new Error('e')],
    ['a boxed text', Object('x')],
    ['a list of numbers', Float64Array.of(1)],
  ])('is refused where it is %s, whose text does not say who it is', (_what, identity) => {
    expect(() => identityText(identity, 'Open.account')).toThrow(expect.objectContaining({ code: 'invalid_identity' }))
  })

  it('is refused where its text comes later, and lets no late rejection end the process', async () => {
    const later = { toString: () => Promise.reject(new Error('late')) }
    expect(() => identityText(later, 'Open.account')).toThrow(/gives no text/)
    // An unhandled rejection would be reported, and end the run, at the end of this turn.
    await new Promise(setImmediate)
  })
})
