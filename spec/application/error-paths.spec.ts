import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, skip, stop, type Command, type DispatchOptions } from 'edict'
import { settled } from 'edict/testing'
import { BankAccount, bankRouter, OpenAccount } from '../bank/bank.ts'
import { Add, Added, Counter, counterRouter, recordingLogger, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

const add = Add({ id: 'a', by: 1 })

/** A handler that fails with what it is told to, and notes what its `onError` is told. */
function failing(fail: (dispatch: (command: Command, options?: DispatchOptions) => Promise<unknown>) => unknown) {
  const errors: unknown[] = []
  const handler = eventHandler('failing', {
    events: [Added],
    handle: async (_data, { streamId }, { dispatch }) => {
      if (streamId === 'counter-a') await fail(dispatch)
    },
    onError: (error) => {
      errors.push(error)
      return skip()
    },
  })
  return { errors, handler }
}

describe('what is asked of an aggregate', () => {
  it('that no router of the application has is an error that names it', async () => {
    const app = await started({ router: counterRouter })
    for (const ask of [app.aggregateState(BankAccount, 'a'), app.aggregateVersion(BankAccount, 'a')]) {
      await expect(ask).rejects.toMatchObject({
        message: expect.stringMatching(/BankAccount/),
        outcome: 'not-executed',
      })
    }
    await expect(app.aggregateState({} as typeof Counter, 'a')).rejects.toMatchObject({ outcome: 'not-executed' })
  })

  it('under an identity that is none is an error', async () => {
    const app = await started({ router: counterRouter })
    for (const identity of ['', Number.NaN, {}, []]) {
      await expect(app.aggregateState(Counter, identity)).rejects.toMatchObject({ code: 'invalid_identity' })
    }
  })

  it('is answered whether it is live or not, and where it has never been', async () => {
    const app = await started({ router: counterRouter, cache: { aggregates: 1 } })
    await app.dispatch(add)
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 1 })
    await app.dispatch(Add({ id: 'b', by: 1 }))
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 1 })
    expect([await app.aggregateState(Counter, 'c'), await app.aggregateVersion(Counter, 'c')]).toEqual([
      { total: 0 },
      0,
    ])
  })
})

describe('a strong handler', () => {
  it('that has stopped fails a dispatch at once, which says that the command is stored, and names it', async () => {
    const dead = eventHandler('dead', {
      events: [Added],
      consistency: 'strong',
      handle: () => {
        throw new Error('poison')
      },
      onError: () => stop(),
    })
    const app = await started({ router: counterRouter, handlers: [dead] })
    for (const aggregateVersion of [1, 2]) {
      const options = { consistency: 'strong', consistencyTimeout: Infinity } as const
      await expect(app.dispatch(add, options)).rejects.toMatchObject({
        code: 'consistency_timeout',
        outcome: 'executed',
        laggards: ['dead'],
        executionResult: { aggregateVersion },
      })
    }
  })

  it('whose afterStart throws is stopped, and disturbs neither the application nor its neighbours', async () => {
    const seen: number[] = []
    const options = { events: [Added], consistency: 'strong' as const }
    const broken = eventHandler('broken', {
      ...options,
      handle: () => undefined,
      afterStart: () => {
        throw new Error('no table')
      },
    })
    const neighbour = eventHandler('neighbour', {
      ...options,
      handle: (_data, { position }) => void seen.push(position),
    })
    const logger = recordingLogger()
    const app = await started({ router: counterRouter, handlers: [broken, neighbour], logger })
    await app.dispatch(add, { consistency: ['neighbour'] })
    await expect(app.dispatch(add, { consistency: 'strong' })).rejects.toMatchObject({
      laggards: expect.arrayContaining(['broken']),
    })
    await until(() => seen.length === 2)
    expect(logger.entries.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      expect.stringMatching(/the handler broken failed .* STOPPED .*: no table/),
    ])
  })
})

describe('a handler that dispatches', () => {
  it.each<[string, Command, DispatchOptions | undefined, string]>([
    ['what is no command', Added({ by: 1 }) as unknown as Command, undefined, 'invalid_message'],
    [
      'a command of no router',
      OpenAccount({ accountNumber: 'a', owner: 'Ada', initialBalance: 1 }),
      undefined,
      'unregistered_command',
    ],
    ['with an unknown option', add, { returning: 'events' } as DispatchOptions, 'invalid_option'],
    ['to wait for an unknown handler', add, { consistency: ['nobody'] }, 'invalid_option'],
    ['a command that is rejected', Add({ id: 'b', by: -1 }), undefined, 'negative'],
  ])('%s is told so, as of any failure', async (_what, command, options, code) => {
    const { errors, handler } = failing((dispatch) => dispatch(command, options))
    const app = await started({ router: counterRouter, handlers: [handler] })
    await app.dispatch(add)
    await settled(app, { timeout: 20_000 })
    expect(errors).toMatchObject([{ code }])
  })

  it('after the application has stopped is refused', async () => {
    let late: (() => Promise<unknown>) | undefined
    const { handler } = failing((dispatch) => {
      late = () => dispatch(Add({ id: 'b', by: 1 }))
    })
    const app = await started({ router: counterRouter, handlers: [handler] })
    await app.dispatch(add)
    await settled(app, { timeout: 20_000 })
    await app.stop()
    await expect(late?.()).rejects.toMatchObject({ code: 'not_running', outcome: 'not-executed' })
  })
})

describe('a callback that throws while an error is handled', () => {
  it('does not hide the error: of a middleware, a lifespan and a logger at once', async () => {
    const fail = (): never => {
      throw new Error('the callback itself')
    }
    const { router } = await import('edict')
    const troubled = router('troubled', (r) =>
      r
        .middleware({ afterFailure: fail })
        .identify(Counter, { by: 'id' })
        .dispatch(Add, { to: Counter, lifespan: { afterError: fail } }),
    )
    const logger = { debug: fail, info: fail, warn: fail, error: fail }
    const app = await started({ router: troubled, logger })
    await expect(app.dispatch(Add({ id: 'a', by: -1 }))).rejects.toMatchObject({
      code: 'negative',
      details: { by: -1 },
    })
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('stops the handler of which it is the onError, and no other', async () => {
    const seen: number[] = []
    const troubled = eventHandler('troubled', {
      events: [Added],
      consistency: 'strong',
      handle: () => {
        throw new Error('poison')
      },
      onError: () => {
        throw new Error('the callback itself')
      },
    })
    const neighbour = eventHandler('neighbour', {
      events: [Added],
      consistency: 'strong',
      handle: (_data, { position }) => void seen.push(position),
    })
    const app = await started({ router: counterRouter, handlers: [troubled, neighbour] })
    await expect(app.dispatch(add, { consistency: 'strong' })).rejects.toMatchObject({
      laggards: expect.arrayContaining(['troubled']),
    })
    await app.dispatch(add, { consistency: ['neighbour'] })
    expect(seen).toEqual([1, 2])
  })
})

describe('a command of another application', () => {
  it('is no command of this one', async () => {
    const app = await started({ router: counterRouter })
    const foreign = OpenAccount({ accountNumber: 'a', owner: 'Ada', initialBalance: 1 })
    await expect(app.dispatch(foreign as never)).rejects.toMatchObject({ code: 'unregistered_command' })
    await started({ router: bankRouter })
    await expect(bankRouter.dispatch(add as never)).rejects.toMatchObject({ code: 'unregistered_command' })
  })
})
