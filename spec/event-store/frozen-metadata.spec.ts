import { describe, expect, it } from '@jest/globals'
import { frozenMetadata } from '../../lib/event-store/frozen-metadata.ts'

class Request {
  readonly #user = 'ann'
  user(): string {
    return this.#user
  }
}

describe('metadata', () => {
  it.each<[string, unknown]>([
    ['a Map', new Map([['user', 'ann']])],
    ['a Set', new Set(['ann'])],
    ['an instance of a class', new Request()],
    ['an object with a symbol for a key', { [Symbol('user')]: 'ann' }],
    ['a list', ['ann']],
    ['a text', 'ann'],
  ])('is refused where it is %s, whose content would be lost', (_what, given) => {
    expect(() => frozenMetadata(given)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
    if (typeof given === 'object' && !Array.isArray(given)) {
      expect(() => frozenMetadata({ deep: given })).toThrow(/metadata\.deep is no JSON value/)
    }
  })

  it('may have no prototype', () => {
    expect(frozenMetadata(Object.assign(Object.create(null) as object, { user: 'ann' }))).toEqual({ user: 'ann' })
  })
})
