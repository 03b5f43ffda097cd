import { inMemoryEventStore } from '../../lib/adapters/in-memory/in-memory-event-store.ts'
import { systemRandom } from '../../lib/effects/ids.ts'
import { ConsistencyBoard } from '../../lib/dispatch/consistency-board.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import type { SubscriptionHub } from '../../lib/event-store/subscription-hub.ts'
import { event } from '../../lib/messages/definition.ts'
import { shape } from '../../lib/messages/shape.ts'
import type { ExecutionResult } from '../../lib/routing/execution-result.ts'
import { HandlerRunner } from '../../lib/subscribers/handler-runner.ts'
import type { RunnerOptions } from '../../lib/subscribers/runner-options.ts'
import { handlerBodyOf } from '../../lib/subscribers/handler-body.ts'
import { ManualClock, append, keepingLogger, makeHub } from '../event-store/subscription-harness.ts'

export const AccountOpened = event('AccountOpened', shape<{ accountNumber: string; initialBalance: number }>())
export const MoneyDeposited = event('MoneyDeposited', shape<{ accountNumber: string; amount: number }>())

export interface Running {
  readonly store: EventStore
  readonly hub: SubscriptionHub
  readonly board: ConsistencyBoard
  readonly clock: ManualClock
  readonly logger: ReturnType<typeof keepingLogger>
  readonly dispatched: unknown[]
  runner(handler: object, options?: Partial<RunnerOptions>): HandlerRunner
  opened(initialBalance?: number): number
  deposited(amount?: number): number
}

/** What an application gives its handlers, with a clock that stands still. */
export async function surroundings(): Promise<Running> {
  const clock = new ManualClock()
  const store = inMemoryEventStore({ clock })
  await store.open()
  const logger = keepingLogger()
  const board = new ConsistencyBoard({ clock })
  const hub = makeHub(store, { clock, logger })
  const dispatched: unknown[] = []
  return {
    store,
    hub,
    board,
    clock,
    logger,
    dispatched,
    runner: (handler, options = {}) => {
      const model = handlerBodyOf(handler)?.model
      if (!model) throw new Error('that is no event handler')
      return new HandlerRunner(model, {
        hub,
        store,
        board,
        clock,
        logger,
        random: { ...systemRandom, number: () => 0 },
        enqueue: () => Promise.reject(new Error('not here')),
        dispatch: (...given) => {
          dispatched.push(given)
          return Promise.resolve({ aggregateVersion: 1 } as ExecutionResult)
        },
        application: 'bank',
        owner: 'node-1',
        consistency: 'eventual',
        ...options,
      })
    },
    opened: (initialBalance = 10) => {
      append(store, 'AccountOpened', 'account-1', 'BankAccount', { accountNumber: '1', initialBalance })
      return store.headPosition() as number
    },
    deposited: (amount = 5) => {
      append(store, 'MoneyDeposited', 'account-1', 'BankAccount', { accountNumber: '1', amount })
      return store.headPosition() as number
    },
  }
}
