import { describe, expect, it } from '@jest/globals'
import { event, processManager, shape, type ProcessManagerDefinition } from 'edict'
import { given, recorded } from 'edict/testing'
import { Add, Added } from '../support/counter.ts'
import { thrownBy } from './thrown-by.ts'

const Began = event('Began', shape<{ id: string; strict?: boolean }>())
const Moved = event('Moved', shape<{ ids: readonly string[]; by: number; strict?: boolean }>())
const Ended = event('Ended', shape<{ id: string }>())
const Mentioned = event('Mentioned', shape<object>())

const moves = processManager('moves', {
  events: [Began, Moved, Ended, Mentioned],
  initialState: () => ({ moved: 0 }),
  interested: {
    Began: ({ id, strict = false }) => ({ start: id, strict }),
    Moved: ({ ids, strict = false }) => ({ continue: ids, strict }),
    Ended: ({ id }) => ({ stop: id }),
    Mentioned: () => undefined,
  },
  handle: {
    Began: (_state, { id }) => Add({ id, by: 1 }),
    Moved: async ({ moved }, { by }, _recorded, { instanceId }) => {
      await Promise.resolve()
      if (by === 13) throw new RangeError('bad luck')
      return [Add({ id: instanceId, by }), Add({ id: instanceId, by: moved })]
    },
  },
  apply: {
    Began: () => undefined,
    Ended: () => undefined,
    Mentioned: () => undefined,
    Moved: (state, { by }) => {
      state.moved += by
    },
  },
  afterCommand: (_state, command) =>
    command.type === 'Add' && (command.data as { by: number }).by === 99 ? 'stop' : undefined,
})

const misfit: ProcessManagerDefinition<readonly [typeof Added], { readonly count: number }> = {
  events: [Added],
  initialState: () => ({ count: 0 }),
  interested: { Added: () => ({ start: 'a' }) },
  handle: { Added: () => Add({ id: 'a', by: 1 }) },
}

const began = Began({ id: 'a' })
const moved = (by: number, ...ids: string[]) => Moved({ ids, by })

describe('given a process manager with a past', () => {
  it('expects the commands of an event, and the state after it', async () => {
    const outcome = given(moves, [began, moved(5, 'a')]).when(moved(7, 'a'))
    await outcome.thenDispatches(Add({ id: 'a', by: 7 }), Add({ id: 'a', by: 5 }))
    await outcome.thenState({ moved: 12 })
    await given(moves)
      .when(recorded(began))
      .thenDispatches(Add({ id: 'a', by: 1 }))
    await given(moves).when(began).thenState({ moved: 0 })
  })

  it('tells several instances apart', async () => {
    const outcome = given(moves, [began, Began({ id: 'b' }), moved(1, 'b')]).when(moved(2, 'a', 'b'))
    await outcome.thenDispatches(
      Add({ id: 'a', by: 2 }),
      Add({ id: 'a', by: 0 }),
      Add({ id: 'b', by: 2 }),
      Add({ id: 'b', by: 1 }),
    )
    await outcome.thenState({ moved: 2 }, 'a')
    await outcome.thenState({ moved: 3 }, 'b')
    expect((await thrownBy(() => outcome.thenState({ moved: 2 })))?.message).toMatch(
      /concerns 2 instances: say which one/,
    )
  })

  it('expects it to stop: by its interest, or after a command', async () => {
    await given(moves, [began])
      .when(Ended({ id: 'a' }))
      .thenStops()
    await given(moves, [began]).when(moved(99, 'a')).thenStops()
    await given(moves, [began, moved(99, 'a')])
      .when(moved(1, 'a'))
      .thenState({ moved: 1 })
    const error = await thrownBy(() => given(moves).when(began).thenStops())
    expect(error?.message).toMatch(/^moves a was expected to stop/)
  })

  it('does not take for stopped what never ran, or was over before: an id with a slip in it, say', async () => {
    const stopped = given(moves, [began]).when(Ended({ id: 'A' }))
    expect((await thrownBy(() => stopped.thenStops()))?.message).toMatch(
      /^moves A was expected to stop, and did not run before/,
    )
    const later = given(moves, [began, Ended({ id: 'a' })]).when(Began({ id: 'b' }))
    expect(await thrownBy(() => later.thenStops('a'))).toMatchObject({ name: 'AssertionError' })
    await given(moves).when(moved(99, 'a')).thenStops()
  })

  it.each<[what: string, definition: Partial<typeof misfit>]>([
    ['a state that could not be stored', { apply: { Added: () => new URL('https://example.org') as never } }],
    ['an initial state that could not be stored', { initialState: () => new URL('https://example.org') as never }],
    ['an afterCommand that gives garbage', { afterCommand: () => true as never }],
  ])('fails as the application would, for %s', async (_what, definition) => {
    await given(processManager('misfit', { ...misfit, ...definition }))
      .when(Added({ by: 1 }))
      .thenThrows({ code: 'invalid_outcome' })
  })

  it('expects that an event does not concern it', async () => {
    await given(moves, [began]).when(Mentioned({})).thenIgnores()
    expect(await thrownBy(() => given(moves).when(began).thenIgnores())).toMatchObject({ name: 'AssertionError' })
  })

  it('expects it to fail: by itself, or where a strict interest does not hold', async () => {
    await given(moves, [began]).when(moved(13, 'a')).thenThrows(RangeError)
    await given(moves, [began])
      .when(Began({ id: 'a', strict: true }))
      .thenThrows({ code: 'process_already_started' })
    await given(moves)
      .when(Moved({ ids: ['a'], by: 1, strict: true }))
      .thenThrows({ code: 'process_not_started' })
    expect(await thrownBy(() => given(moves).when(began).thenThrows())).toMatchObject({ name: 'AssertionError' })
    expect(await thrownBy(() => given(moves).when(moved(13, 'a')).thenDispatches())).toBeInstanceOf(RangeError)
    const garbage = processManager('garbage', {
      events: [Added],
      initialState: () => 0,
      interested: { Added: () => ({ start: 'a' }) },
      handle: { Added: () => 'garbage' as never },
    })
    await given(garbage)
      .when(Added({ by: 1 }))
      .thenThrows({ code: 'invalid_outcome' })
  })

  it('tells the instances of tenants apart, as the application does', async () => {
    const of = (tenant: string) => recorded(Began({ id: 'a', strict: true }), { tenant })
    await given(moves, [of('acme')])
      .when(of('globex'))
      .thenState({ moved: 0 })
    await given(moves, [of('acme')])
      .when(of('acme'))
      .thenThrows({ code: 'process_already_started' })
    const elsewhere = given(moves, [of('acme')]).when(recorded(Ended({ id: 'a' }), { tenant: 'globex' }))
    expect((await thrownBy(() => elsewhere.thenStops()))?.message).toMatch(/globex\/a .* did not run before/)
  })

  it('is not given what was recorded elsewhere than it looks', async () => {
    const narrow = processManager('narrow', { ...misfit, subscribeTo: { category: 'Counter' } })
    await given(narrow)
      .when(recorded(Added({ by: 1 }), { category: 'Other' }))
      .thenIgnores()
    await given(narrow)
      .when(Added({ by: 1 }))
      .thenDispatches(Add({ id: 'a', by: 1 }))
  })

  it('shows what differs', async () => {
    const error = await thrownBy(() =>
      given(moves)
        .when(began)
        .thenDispatches(Add({ id: 'a', by: 2 })),
    )
    expect(error?.message).toMatch(/^moves dispatched other commands\n[^]*- +by: 2,\n\+ +by: 1,/)
    expect((await thrownBy(() => given(moves).when(began).thenState({ moved: 1 })))?.message).toMatch(/another state/)
    const stopped = given(moves, [began]).when(Ended({ id: 'a' }))
    expect((await thrownBy(() => stopped.thenState({ moved: 0 })))?.message).toMatch(/it does not run/)
  })
})
