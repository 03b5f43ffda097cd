import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ConsistencyBoard } from '../../lib/dispatch/consistency-board.ts'
import { ManualClock, turn } from '../event-store/subscription-harness.ts'

const strong = (...types: string[]) => ({ consistency: 'strong' as const, types: new Set(types) })
const at = (position: number, type = 'A') => ({ type, position })

function board() {
  const clock = new ManualClock()
  const made = new ConsistencyBoard({ clock })
  made.register('balances', strong('A', 'B'))
  made.register('audit', strong('A', 'C'))
  made.register('mails', { consistency: 'eventual', types: new Set(['A']) })
  return { board: made, clock }
}

/** What a wait has come to: undefined while it is under way. */
function watched(wait: unknown): { answer: unknown } {
  const state: { answer: unknown } = { answer: undefined }
  void Promise.resolve(wait).then((answer) => (state.answer = answer))
  return state
}

describe('the consistency board', () => {
  it('knows whom a dispatch waits for', () => {
    const { board: it } = board()
    const names = (consistency: Parameters<typeof it.resolve>[0]) => it.resolve(consistency).map(({ name }) => name)
    expect(names('eventual')).toEqual([])
    expect(names('strong')).toEqual(['balances', 'audit'])
    expect(names(['audit'])).toEqual(['audit'])
    expect(names([{ name: 'audit' }, 'balances', 'audit'])).toEqual(['audit', 'balances'])
    expect(names([])).toEqual([])
  })

  it.each([
    [['nobody'], 'consistency names nobody, which is no handler of this application'],
    [['mails'], 'consistency names mails, which is eventually consistent: nobody can wait for it'],
    [[undefined], 'consistency lists something that is neither a handler nor a name'],
    ['soon', "consistency must be 'eventual', 'strong', or a list of handlers or their names"],
    [undefined, "consistency must be 'eventual', 'strong', or a list of handlers or their names"],
  ])('refuses to wait for %j', (consistency, message) => {
    const { board: it } = board()
    expect(() => it.resolve(consistency as never)).toThrow(expect.objectContaining({ code: 'invalid_option', message }))
  })

  it('answers at once where there is nothing to wait for', () => {
    const { board: it, clock } = board()
    const all = it.resolve('strong')
    expect(it.wait([], all, 100)).toEqual([])
    expect(it.wait([at(1)], [], 100)).toEqual([])
    expect(it.wait([at(1, 'Other')], all, 100)).toEqual([])
    it.acknowledge('balances', 7)
    it.acknowledge('audit', 9)
    expect(it.wait([at(6), at(7)], all, 100)).toEqual([])
    expect(clock.timers).toBe(0)
  })

  it('tells a handler when somebody begins to wait for it, and when nobody does any more', async () => {
    const { board: it, clock } = board()
    const told: boolean[] = []
    it.register('mailer', { ...strong('M'), awaited: (isAwaited) => void told.push(isAwaited) })
    const all = it.resolve(['mailer'])
    const first = it.wait([at(5, 'M')], all, 1_000)
    const second = it.wait([at(7, 'M')], all, 1_000)
    expect([told, it.handler('mailer')?.isAwaited]).toEqual([[true], true])
    it.acknowledge('mailer', 6)
    expect([told, await first]).toEqual([[true], []])
    it.acknowledge('mailer', 7)
    expect([told, await second, it.handler('mailer')?.isAwaited]).toEqual([[true, false], [], false])
    const late = it.wait([at(9, 'M')], all, 1_000)
    await clock.advance(1_000)
    expect([told, await late]).toEqual([[true, false, true, false], ['mailer']])
  })

  it('waits until each handler has handled the last event that interests it', async () => {
    const { board: it } = board()
    const wait = watched(it.wait([at(1, 'A'), at(2, 'B'), at(3, 'C'), at(4, 'D')], it.resolve('strong'), 100))
    it.acknowledge('balances', 1)
    it.acknowledge('audit', 3)
    await turn()
    expect(wait.answer).toBeUndefined()
    it.acknowledge('balances', 2)
    await turn()
    expect(wait.answer).toEqual([])
  })

  it('does not wait for the handler that dispatches', () => {
    const { board: it } = board()
    expect(it.wait([at(1)], it.resolve(['audit']), 100, { handlerName: 'audit', position: 1 })).toEqual([])
  })

  describe('for a handler that dispatches', () => {
    const by = (handlerName: string, position: number) => ({ handlerName, position })

    function three() {
      const made = board()
      made.board.register('totals', strong('A'))
      return made
    }

    it('does not wait for one that waits for it: the second one that would is answered, and then the first one', async () => {
      const { board: it } = board()
      const first = watched(it.wait([at(2)], it.resolve('strong'), 100, by('balances', 1)))
      expect(it.wait([at(3)], it.resolve('strong'), 100, by('audit', 1))).toEqual([])
      it.acknowledge('audit', 3)
      await turn()
      expect(first.answer).toEqual([])
    })

    it('sees a circle of several', async () => {
      const { board: it } = three()
      const first = watched(it.wait([at(2)], it.resolve(['audit']), 100, by('balances', 1)))
      const second = watched(it.wait([at(3)], it.resolve(['totals']), 100, by('audit', 1)))
      expect(it.wait([at(4)], it.resolve(['balances']), 100, by('totals', 1))).toEqual([])
      it.acknowledge('totals', 4)
      it.acknowledge('audit', 4)
      await turn()
      expect([first.answer, second.answer]).toEqual([[], []])
    })

    it('still waits for the others', async () => {
      const { board: it } = three()
      void it.wait([at(2)], it.resolve(['audit']), 100, by('balances', 1))
      const wait = watched(it.wait([at(3)], it.resolve('strong'), 100, by('audit', 1)))
      await turn()
      expect(wait.answer).toBeUndefined()
      it.acknowledge('totals', 3)
      await turn()
      expect(wait.answer).toEqual([])
    })

    it.each([
      [
        'whose own wait is over',
        (it: ConsistencyBoard) => {
          it.acknowledge('audit', 2)
        },
      ],
      [
        'that is past the event that it dispatched for, without having awaited that',
        (it: ConsistencyBoard) => {
          it.acknowledge('balances', 1)
        },
      ],
    ])('waits for one %s', async (_, happens) => {
      const { board: it } = board()
      void it.wait([at(2)], it.resolve(['audit']), 100, by('balances', 1))
      happens(it)
      const wait = watched(it.wait([at(5)], it.resolve(['balances']), 100, by('audit', 4)))
      await turn()
      expect(wait.answer).toBeUndefined()
      it.acknowledge('balances', 5)
      await turn()
      expect(wait.answer).toEqual([])
    })

    it('waits for what another one did before the event that it has in hand', async () => {
      const { board: it } = board()
      void it.wait([at(12)], it.resolve(['audit']), 100, by('balances', 10))
      // That one works with several partitions: one waits, another one is at the event.
      const wait = watched(it.wait([at(9)], it.resolve(['balances']), 100, by('audit', 8)))
      await turn()
      expect(wait.answer).toBeUndefined()
      it.acknowledge('balances', 9)
      await turn()
      expect(wait.answer).toEqual([])
    })
  })

  it('names those that are behind when the time is over, and forgets the wait', async () => {
    const { board: it, clock } = board()
    const wait = watched(it.wait([at(1)], it.resolve('strong'), 100))
    it.acknowledge('audit', 1)
    await clock.advance(99)
    expect(wait.answer).toBeUndefined()
    await clock.advance(1)
    expect(wait.answer).toEqual(['balances'])
    expect(clock.timers).toBe(0)
    it.acknowledge('balances', 1)
  })

  it('sets one timer for many waits, and none for those that are answered before the work in hand is over', async () => {
    const { board: it, clock } = board()
    const all = it.resolve('strong')
    const quick = watched(it.wait([at(1)], all, 100))
    it.acknowledge('balances', 1)
    it.acknowledge('audit', 1)
    await turn()
    expect([quick.answer, clock.timers]).toEqual([[], 0])
    const waits = [300, 100, 200, 100].map((timeout, index) => watched(it.wait([at(2 + index)], all, timeout)))
    await turn()
    expect([clock.timers, clock.next]).toEqual([1, 100])
    await clock.advance(100)
    expect(waits.map(({ answer }) => answer !== undefined)).toEqual([false, true, false, true])
    await clock.advance(100)
    expect(waits.map(({ answer }) => answer !== undefined)).toEqual([false, true, true, true])
    it.acknowledge('balances', 9)
    it.acknowledge('audit', 9)
    await turn()
    expect([waits[0]?.answer, clock.timers]).toEqual([[], 0])
  })

  it('waits without end where the timeout is Infinity, by a timer that keeps the process alive meanwhile', async () => {
    const { board: it, clock } = board()
    const wait = watched(it.wait([at(1)], it.resolve(['audit']), Infinity))
    await clock.advance(1_000_000)
    expect([wait.answer, clock.timers]).toEqual([undefined, 1])
    it.acknowledge('audit', 1)
    await turn()
    expect([wait.answer, clock.timers]).toEqual([[], 0])
  })

  it('answers at once when a handler fails, naming it, and does not wait for one that failed before', async () => {
    const { board: it, clock } = board()
    const wait = watched(it.wait([at(1)], it.resolve('strong'), 100))
    const other = watched(it.wait([at(2)], it.resolve(['balances']), 100))
    it.acknowledge('balances', 1)
    it.failed('audit', new Error('poison'))
    await turn()
    expect([wait.answer, other.answer]).toEqual([['audit'], undefined])
    expect(it.wait([at(3)], it.resolve(['audit']), 100)).toEqual(['audit'])
    expect(it.wait([at(3, 'B')], it.resolve(['audit']), 100)).toEqual([])
    expect(it.handler('audit')?.failure).toEqual({ error: new Error('poison') })
    it.acknowledge('balances', 2)
    await turn()
    expect([other.answer, clock.timers]).toEqual([[], 0])
  })

  it('lets a handler that failed come again, and refuses two of one name', () => {
    const { board: it } = board()
    expect(() => it.register('audit', strong('A'))).toThrow(expect.objectContaining({ code: 'invalid_definition' }))
    it.failed('audit', 'poison')
    const before = it.resolve(['audit'])
    it.register('audit', strong('A'))
    it.acknowledge('audit', 5)
    expect(it.wait([at(5)], before, 100)).toEqual([])
    it.unregister('audit')
    expect(it.wait([at(6)], before, 100)).toEqual(['audit'])
    expect(() => it.resolve(['audit'])).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })

  it('answers every wait just when it may, whatever the order of waits, reports and failures', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('wait' as const),
        position: fc.integer({ min: 1, max: 12 }),
        timeout: fc.constantFrom(5, 9, Infinity),
      }),
      fc.record({
        kind: fc.constant('report' as const),
        name: fc.constantFrom('balances', 'audit'),
        position: fc.nat(12),
      }),
      fc.record({ kind: fc.constant('pass' as const), time: fc.nat(4) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { board: it, clock } = board()
        const reached = new Map([
          ['balances', 0],
          ['audit', 0],
        ])
        const waits: { position: number; deadline: number; state: { answer: unknown }; expected: unknown }[] = []
        for (const one of steps) {
          if (one.kind === 'wait') {
            const state = watched(it.wait([at(one.position)], it.resolve('strong'), one.timeout))
            await turn()
            waits.push({ position: one.position, deadline: clock.now() + one.timeout, state, expected: undefined })
          } else if (one.kind === 'report') {
            it.acknowledge(one.name, one.position)
            reached.set(one.name, Math.max(reached.get(one.name) ?? 0, one.position))
          } else {
            await clock.advance(one.time)
          }
          await turn()
          for (const wait of waits.filter(({ expected }) => expected === undefined)) {
            const behind = [...reached].filter(([, position]) => position < wait.position).map(([name]) => name)
            if (behind.length === 0) wait.expected = []
            else if (clock.now() >= wait.deadline) wait.expected = behind
          }
          expect(waits.map(({ state }) => state.answer)).toEqual(waits.map(({ expected }) => expected))
        }
        const open = waits.filter(({ expected }) => expected === undefined)
        const endless = open.filter(({ deadline }) => deadline === Infinity).length
        // One timer for all that have an end.
        expect(clock.timers).toBe(endless + (open.length > endless ? 1 : 0))
      }),
      { numRuns: 100 },
    )
  }, 120_000)
})
