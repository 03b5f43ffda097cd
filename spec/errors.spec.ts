import { describe, expect, it } from '@jest/globals'
import { CommandFailedError, describeThrown } from '../lib/errors.ts'

function errorWith(message: unknown): Error {
  return Object.defineProperty(new Error('replaced'), 'message', { value: message })
}

function fail(): never {
  throw new Error('again')
}

describe('what was thrown', () => {
  it.each<[string, unknown, string]>([
    ['an error', new TypeError('no'), 'no'],
    ['an error without a message', new TypeError(''), 'TypeError'],
    ['an error whose message is a symbol', errorWith(Symbol('s')), 'Symbol(s)'],
    ['an error whose message is undefined', errorWith(undefined), 'undefined'],
    [
      'an error whose message has no text',
      errorWith({ toString: fail }),
      'a value of type object that cannot be described',
    ],
    [
      'a proxy that throws when it is asked what it is',
      new Proxy({}, { getPrototypeOf: fail, get: fail }),
      'a value of type object that cannot be described',
    ],
    ['a text', 'no', 'no'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['undefined', undefined, 'undefined'],
    ['a plain object', { code: 1 }, '{"code":1}'],
  ])('is described by a sentence where it is %s', (_what, thrown, text) => {
    expect(describeThrown(thrown)).toBe(text)
    expect(new CommandFailedError('that', thrown).message).toBe(`that failed: ${text}`)
  })
})
