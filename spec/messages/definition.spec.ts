import { describe, expect, it } from '@jest/globals'
import { type as ark } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import { DefinitionError, ValidationError } from '../../lib/errors.ts'
import { command, event } from '../../lib/messages/definition.ts'
import { shape } from '../../lib/messages/shape.ts'

const OpenAccount = command(
  'OpenAccount',
  z.object({ accountNumber: z.string().min(1), initialBalance: z.number().int().default(0) }),
)

function issuesOf(work: () => unknown): readonly { message: string; path: readonly PropertyKey[] }[] {
  try {
    work()
  } catch (error) {
    if (error instanceof ValidationError) return error.issues
    throw error
  }
  throw new Error('it did not throw')
}

describe('a message definition', () => {
  it('makes a message of its type with the output of its schema', () => {
    const command = OpenAccount({ accountNumber: 'ACC123' })
    expect(command).toEqual({ type: 'OpenAccount', data: { accountNumber: 'ACC123', initialBalance: 0 } })
  })

  it('says what it is', () => {
    expect([OpenAccount.type, OpenAccount.kind, OpenAccount.schemaVersion]).toEqual(['OpenAccount', 'command', 1])
    const Opened = event('Opened', shape<object>(), { schemaVersion: 3 })
    expect([Opened.type, Opened.kind, Opened.schemaVersion]).toEqual(['Opened', 'event', 3])
  })

  it('knows the messages that it made from look-alikes and from those of another definition of the same type', () => {
    const made = OpenAccount({ accountNumber: 'A' })
    const Other = command('OpenAccount', shape<{ accountNumber: string }>())
    expect(OpenAccount.is(made)).toBe(true)
    expect(OpenAccount.is({ ...made })).toBe(false)
    expect(OpenAccount.is(Other({ accountNumber: 'A' }))).toBe(false)
    expect(OpenAccount.is(undefined)).toBe(false)
  })

  it('refuses data that fails its schema, with every issue and its path', () => {
    const Transfer = command('Transfer', z.object({ from: z.object({ number: z.string() }), amount: z.number() }))
    const issues = issuesOf(() => Transfer({ from: { number: 5 }, amount: 'x' } as never))
    expect(issues.map(({ path }) => path)).toEqual([['from', 'number'], ['amount']])
  })

  it('gives the same refusal as a result to those who ask for one', () => {
    const outcome = OpenAccount.safe({ accountNumber: '' })
    expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid_message', messageType: 'OpenAccount' } })
    expect(OpenAccount.safe({ accountNumber: 'A' })).toMatchObject({ ok: true, value: { type: 'OpenAccount' } })
  })

  it('runs its schema once for each message', () => {
    let checks = 0
    const Counted = command('Counted', z.object({ id: z.string().refine(() => ++checks > 0) }))
    const made = Counted({ id: 'a' })
    expect(Counted.is(made)).toBe(true)
    expect(checks).toBe(1)
  })

  it('takes any Standard Schema: zod, valibot and arktype, each with its input and its output', () => {
    const input = { id: 'a', amount: '5' }
    const made = [
      command('Z', z.object({ id: z.string(), amount: z.string().transform(Number) }))(input),
      command('V', v.object({ id: v.string(), amount: v.pipe(v.string(), v.transform(Number)) }))(input),
      command('A', ark({ id: 'string', amount: 'string.numeric.parse' }))(input),
    ]
    for (const { data } of made) {
      const amount: number = data.amount
      expect([data.id, amount]).toEqual(['a', 5])
    }
  })

  it.each([
    ['zod', z.object({ id: z.string() })],
    ['valibot', v.object({ id: v.string() })],
    ['arktype', ark({ id: 'string' })],
  ])('names the path of an issue that %s finds', (_library, schema) => {
    const Made = command('Made', schema as never)
    expect(issuesOf(() => Made({ id: 5 } as never))[0]?.path).toEqual(['id'])
  })

  it('refuses a schema that is asynchronous', () => {
    const Async = command('Async', z.object({ id: z.string().refine(() => Promise.resolve(true)) }))
    expect(() => Async({ id: 'a' })).toThrow(/asynchronous/)
  })

  it('lets no late rejection of an asynchronous schema end the process', async () => {
    const Rejecting = command('Rejecting', {
      '~standard': { version: 1, vendor: 'spec', validate: () => Promise.reject(new Error('late')) },
    })
    expect(() => Rejecting({})).toThrow(ValidationError)
    // An unhandled rejection would be reported, and end the run, at the end of this turn.
    await new Promise(setImmediate)
  })

  it.each([
    ['at the top', '{"accountNumber":"A","__proto__":{"polluted":true}}', ['__proto__']],
    ['deeper', '{"accountNumber":"A","more":[{"__proto__":1}]}', ['more', '0', '__proto__']],
  ])('refuses the key __proto__ %s, also where its schema would pass over it', (_where, json, path) => {
    expect(OpenAccount.safe(JSON.parse(json))).toMatchObject({ ok: false, error: { issues: [{ path }] } })
  })

  it('reports a schema that throws as invalid data, with what it threw as the cause', () => {
    const cause = new Error('broken')
    const Broken = command('Broken', {
      '~standard': {
        version: 1,
        vendor: 'spec',
        validate: () => {
          throw cause
        },
      },
    })
    expect(() => Broken({})).toThrow(expect.objectContaining({ code: 'invalid_message', cause }))
  })

  const thrown = new Error('thrown by the data')
  function fail(): never {
    throw thrown
  }
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const unnameable: unknown = new Proxy({}, { getPrototypeOf: fail })

  it.each<[string, unknown, PropertyKey[]]>([
    [
      'an accessor that throws',
      {
        get a() {
          return fail()
        },
      },
      [],
    ],
    ['a proxy that throws when it is asked for its keys', { a: new Proxy({}, { ownKeys: fail }) }, ['a']],
    ['a proxy that throws when it is asked what it is', unnameable, []],
    ['a proxy that is revoked', { a: revoked.proxy }, ['a']],
    ['what only pretends to be a Date', { a: Object.create(Date.prototype) as unknown }, ['a']],
    ['what only pretends to be a Map', { a: Object.create(Map.prototype) as unknown }, ['a']],
    ['what only pretends to be binary', { a: Object.create(Uint8Array.prototype) as unknown }, ['a']],
  ])('refuses %s, with what was thrown as the cause', (_what, data, path) => {
    for (const Definition of [event('Any', shape<unknown>()), command('Any', shape<unknown>())]) {
      const result = Definition.safe(data)
      expect(result).toMatchObject({ ok: false, error: { code: 'invalid_message', issues: [{ path }] } })
      expect(result).toMatchObject({ error: { cause: { message: expect.any(String) } } })
      expect(() => Definition(data)).toThrow(ValidationError)
    }
    expect(event('Any', z.unknown()).safe(data)).toMatchObject({ ok: false, error: { code: 'invalid_message' } })
  })

  it('refuses data that throws a proxy which throws when it is asked what it is', () => {
    const data = new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw unnameable
        },
      },
    )
    expect(event('Any', shape<unknown>()).safe(data)).toMatchObject({ ok: false, error: { code: 'invalid_message' } })
  })

  it.each([
    ['an empty type', () => command('', shape<object>())],
    ['a type that is no string', () => command(5 as never, shape<object>())],
    ['a reserved type', () => event('edict.tombstone', shape<object>())],
    ['no schema', () => command('X', undefined as never)],
    ['a schema that is no Standard Schema', () => command('X', {} as never)],
    ['a schema version that is no whole number', () => event('X', shape<object>(), { schemaVersion: 1.5 })],
    ['an option that an event does not have', () => event('X', shape<object>(), { version: 2 } as never)],
  ])('cannot be made with %s', (_what, make) => {
    expect(make).toThrow(DefinitionError)
  })
})
