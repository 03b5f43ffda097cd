import { ConsistencyBoard } from '../../lib/dispatch/consistency-board.ts'
import { systemRandom } from '../../lib/effects/ids.ts'
import { sharedCheckpoints } from '../../lib/event-store/shared-checkpoints.ts'
import { eventHandler, type EventHandlerDefinition } from '../../lib/subscribers/event-handler.ts'
import { handlerBodyOf } from '../../lib/subscribers/handler-body.ts'
import type { RunnerOptions } from '../../lib/subscribers/runner-options.ts'
import { makeRunner } from '../../lib/subscribers/make-runner.ts'
import { PartitionedRunner } from '../../lib/subscribers/partitioned-runner.ts'
import { append, makeHub } from '../event-store/subscription-harness.ts'
import { MoneyDeposited, type Running } from './runner-harness.ts'

export type Definition = Partial<EventHandlerDefinition<readonly [typeof MoneyDeposited]>>

/** One node of many on one store: what an application gives its handlers. */
export function node(running: Running, owner: string, definition: Definition, options: Partial<RunnerOptions> = {}) {
  const { clock, logger } = running
  const { store = running.store } = options
  const board = new ConsistencyBoard({ clock })
  const model = handlerBodyOf(
    eventHandler('mails', { events: [MoneyDeposited], concurrency: 4, handle: () => undefined, ...definition }),
  )?.model
  if (!model) throw new Error('that is no event handler')
  const runner = makeRunner(model, {
    hub: makeHub(store, { clock, logger }),
    store,
    board,
    clock,
    logger,
    random: { ...systemRandom, number: () => 0 },
    enqueue: () => Promise.reject(new Error('not here')),
    dispatch: () => Promise.reject(new Error('not here')),
    application: 'bank',
    owner,
    consistency: 'eventual',
    shared: sharedCheckpoints({ store, clock, logger, lease: 5_000, claimInterval: 500 }),
    ...options,
  })
  const held = () => (runner instanceof PartitionedRunner ? runner.partitions : [])
  return { runner, board, held }
}

export function deposit(running: Running, account: string, amount = 1): number {
  append(running.store, 'MoneyDeposited', account, 'BankAccount', { accountNumber: account, amount })
  return running.store.headPosition() as number
}
