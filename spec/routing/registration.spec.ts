import { describe, expect, it } from '@jest/globals'
import { aggregate, command, compositeRouter, event, router, RouterDefinitionError, shape } from 'edict'

const Open = command('Open', shape<{ id: string }>())
const Close = command('Close', shape<{ id: string }>())
const Unlisted = command('Unlisted', shape<{ id: string }>())
const Opened = event('Opened', shape<object>())

const makeDoor = () =>
  aggregate('Door', {
    commands: [Open, Close],
    events: [Opened],
    initialState: () => ({ open: false }),
    execute: () => Opened({}),
    apply: {
      Opened: (door) => {
        door.open = true
      },
    },
  })
const Door = makeDoor()

interface Loose {
  middleware(...given: unknown[]): Loose
  identify(...given: unknown[]): Loose
  dispatch(...given: unknown[]): Loose
  router(...given: unknown[]): Loose
}
/** As a program without types would call it. */
const loosely = (block: (builder: Loose) => unknown): unknown => router('doors', block as never)
const dispatching = (options: unknown, commands: unknown = Open): unknown =>
  loosely((doors) => doors.identify(Door, { by: 'id' }).dispatch(commands, options))

function refusal(define: () => unknown): RouterDefinitionError {
  try {
    define()
  } catch (error) {
    expect(error).toBeInstanceOf(RouterDefinitionError)
    return error as RouterDefinitionError
  }
  throw new Error('it was not refused')
}

describe('a router refuses, where it is defined,', () => {
  const mistakes: [title: string, code: string, says: string, define: () => unknown][] = [
    ['a name that is none', 'invalid_registration', 'name', () => router('', (r) => r)],
    ['a missing block', 'invalid_registration', 'needs the block', () => router('doors', undefined as never)],
    ['a block that returns nothing', 'invalid_registration', 'must return', () => loosely(() => undefined)],
    ['an asynchronous block', 'invalid_registration', 'must return', () => loosely(async (doors) => doors)],
    ['dispatch without options', 'invalid_registration', 'needs its options', () => dispatching(undefined)],
    ['a missing to', 'invalid_registration', 'Open does not say to', () => dispatching({})],
    ['an unknown option', 'invalid_registration', 'no option timeOut', () => dispatching({ to: Door, timeOut: 5 })],
    ['an empty list', 'invalid_registration', 'one command definition or more', () => dispatching({ to: Door }, [])],
    ['what is no command', 'invalid_registration', 'command definitions', () => dispatching({ to: Door }, [Opened])],
    ['nothing for a command', 'invalid_registration', 'command definitions', () => dispatching({ to: Door }, null)],
    ['a to of the wrong kind', 'invalid_registration', 'function', () => dispatching({ to: 5, aggregate: Door })],
    [
      'an unlisted command',
      'invalid_registration',
      'Unlisted is not among the commands of Door',
      () => dispatching({ to: Door }, Unlisted),
    ],
    ['a handler without aggregate', 'invalid_registration', 'aggregate', () => dispatching({ to: () => undefined })],
    [
      'a handler with an aggregate that is none',
      'invalid_registration',
      'aggregate',
      () => dispatching({ to: () => undefined, aggregate: {} }),
    ],
    [
      'two aggregates for one command',
      'invalid_registration',
      'another aggregate',
      () => dispatching({ to: Door, aggregate: makeDoor() }),
    ],
    [
      'a handler table that misses a command',
      'invalid_registration',
      'no function for Close',
      () => dispatching({ to: { Open: () => undefined }, aggregate: Door }, [Open, Close]),
    ],
    [
      'a handler table with an inherited function',
      'invalid_registration',
      'no function for Open',
      () => dispatching({ to: Object.create({ Open: () => undefined }), aggregate: Door }),
    ],
    [
      'a handler table with an unknown command',
      'invalid_registration',
      'Bogus',
      () => dispatching({ to: { Open: () => undefined, Bogus: () => undefined }, aggregate: Door }),
    ],
    [
      'a beforeExecute of the wrong kind',
      'invalid_registration',
      'beforeExecute',
      () => dispatching({ to: Door, beforeExecute: 5 }),
    ],
    ['middleware of the wrong kind', 'invalid_registration', 'middleware', () => loosely((r) => r.middleware(5))],
    ['middleware without a hook', 'invalid_registration', 'middleware', () => loosely((r) => r.middleware({}))],
    ['a router that is none', 'invalid_registration', 'needs a router', () => loosely((r) => r.router({ name: 'x' }))],
    [
      'an aggregate that is none',
      'invalid_registration',
      'needs an aggregate',
      () => loosely((r) => r.identify({ name: 'Door' }, { by: 'id' })),
    ],
    ['identify without by', 'invalid_identity_definition', 'needs by', () => loosely((r) => r.identify(Door, {}))],
    ['identify without options', 'invalid_identity_definition', 'needs by', () => loosely((r) => r.identify(Door))],
    ['an empty by', 'invalid_identity_definition', 'by a key', () => loosely((r) => r.identify(Door, { by: '' }))],
    [
      'a by of the wrong kind',
      'invalid_identity_definition',
      'by a key',
      () => loosely((r) => r.identify(Door, { by: 5 })),
    ],
    [
      'an identity of the wrong kind',
      'invalid_identity_definition',
      'by a key',
      () => dispatching({ to: Door, identity: null }),
    ],
    [
      'an unknown option of identify',
      'invalid_registration',
      'prefx',
      () => loosely((r) => r.identify(Door, { by: 'id', prefx: '' })),
    ],
    [
      'a prefix of the wrong kind',
      'invalid_identity_definition',
      'prefix of Door',
      () => loosely((r) => r.identify(Door, { by: 'id', prefix: 5 })),
    ],
    [
      'a prefix function that gives no text',
      'invalid_identity_definition',
      'prefix of Door',
      () => loosely((r) => r.identify(Door, { by: 'id', prefix: () => 5 })),
    ],
    [
      'a prefix function that throws',
      'invalid_identity_definition',
      'no tenant',
      () =>
        loosely((r) =>
          r.identify(Door, {
            by: 'id',
            prefix: () => {
              throw new Error('no tenant')
            },
          }),
        ),
    ],
    [
      'a prefix function with arguments',
      'invalid_identity_definition',
      'arguments',
      () => loosely((r) => r.identify(Door, { by: 'id', prefix: (tenant: string) => tenant })),
    ],
    [
      'an aggregate that is identified twice',
      'duplicate_identity',
      'Door is identified twice',
      () => loosely((r) => r.identify(Door, { by: 'id' }).identify(Door, { by: 'id' })),
    ],
    [
      'an aggregate that nobody identified',
      'missing_identity',
      'identify Door before dispatching Open',
      () => loosely((r) => r.dispatch(Open, { to: Door })),
    ],
    [
      'a command that is registered twice',
      'duplicate_registration',
      'Open is registered twice in router doors',
      () =>
        loosely((r) =>
          r.identify(Door, { by: 'id' }).dispatch(Open, { to: Door }).dispatch([Close, Open], { to: Door }),
        ),
    ],
    [
      'a command that stands twice in a list',
      'duplicate_registration',
      'Open',
      () => dispatching({ to: Door }, [Open, Open]),
    ],
    [
      'two aggregates of one name',
      'invalid_registration',
      'two aggregates are named Door',
      () => loosely((r) => r.identify(Door, { by: 'id' }).identify(makeDoor(), { by: 'id' })),
    ],
    ['a composite of nothing', 'invalid_registration', 'one router or more', () => compositeRouter()],
    ['a composite of what is no router', 'invalid_registration', 'needs a router', () => compositeRouter({} as never)],
  ]

  it.each(mistakes)('%s', (_title, code, says, define) => {
    const { code: given, message, outcome } = refusal(define)
    expect({ code: given, message }).toEqual({ code, message: expect.stringContaining(says) })
    expect(outcome).toBe('not-executed')
  })

  it.each([
    ['timeout', -1],
    ['timeout', 0],
    ['timeout', Number.NaN],
    ['timeout', '5'],
    ['consistency', 'strongly'],
    ['consistency', [5]],
    ['retryAttempts', -1],
    ['retryAttempts', 1.5],
    ['retryAttempts', Number.POSITIVE_INFINITY],
    ['metadata', null],
    ['metadata', { at: new Date(0) }],
    ['metadata', { 'edict.mine': 1 }],
    ['lifespan', 5],
    ['lifespan', { afterEvents: () => 5 }],
  ])('a %s of %p', (option, value) => {
    const { code, message } = refusal(() => dispatching({ to: Door, [option]: value }))
    expect(code).toBe('invalid_registration')
    expect(message).toContain(option)
    expect(message).toContain('router doors')
  })

  it('nothing that is right', () => {
    const options = { timeout: Infinity, consistency: ['balances', { name: 'audit' }], retryAttempts: 0 }
    const more = { metadata: { source: 'spec' }, lifespan: { afterCommand: () => 'stop' } }
    expect(dispatching({ to: Door, ...options, ...more })).toMatchObject({ name: 'doors' })
  })
})

describe("a block's builder", () => {
  it('is used up by a step, so that no registration is lost', () => {
    const lost = refusal(() =>
      loosely((doors) => {
        const identified = doors.identify(Door, { by: 'id' })
        identified.dispatch(Open, { to: Door })
        return identified.dispatch(Close, { to: Door })
      }),
    )
    expect(lost).toMatchObject({ code: 'invalid_registration', message: expect.stringContaining('chain the steps') })
  })

  it('must be the one of the last step', () => {
    const dropped = refusal(() =>
      loosely((doors) => {
        doors.identify(Door, { by: 'id' }).dispatch(Open, { to: Door })
        return doors
      }),
    )
    expect(dropped.message).toContain('must return what its last step gave')
  })

  it('must be one of its own block', () => {
    let other: Loose | undefined
    loosely((doors) => (other = doors))
    expect(refusal(() => loosely(() => other)).message).toContain('must return')
  })

  it('is of no use once its block has ended', () => {
    let kept: Loose | undefined
    loosely((doors) => (kept = doors.identify(Door, { by: 'id' })))
    expect(refusal(() => kept?.dispatch(Open, { to: Door })).message).toContain('its block has ended')
    loosely((doors) => doors.middleware())
    expect(() =>
      loosely(() => {
        throw new TypeError('from the block')
      }),
    ).toThrow(new TypeError('from the block'))
  })
})
