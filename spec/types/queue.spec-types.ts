import { application, inMemoryEventStore } from 'edict'
import type { CommandReceipt } from 'edict'
import { Add, counterRouter } from '../support/counter.ts'
import { Other } from './domain.ts'

const base = { name: 'types', router: counterRouter, eventStore: inMemoryEventStore() }
const add = Add({ id: 'a', by: 1 })

const sync = application(base)
const async = application({ ...base, commandProcessing: 'async' })
const either = application({ ...base, commandProcessing: Math.random() > 0.5 ? 'sync' : 'async' })

export async function processed(asynchronous: boolean): Promise<void> {
  const result = await sync.process(add)
  const later = await async.process(add)
  const calledNow = await async.process(add, { asynchronous: false })
  const receipt: CommandReceipt<unknown> = await sync.process(add, { asynchronous: true, priority: 'low' })
  const followed: CommandReceipt<unknown> = await async.process(add, { idempotencyKey: 'k' })
  const totals: number[] = [result.aggregateState.total, calledNow.aggregateState.total]
  totals.push((await later.completed()).aggregateState.total)
  await Promise.all([receipt.cancel(), followed.cancel()])
  const undecided = await sync.process(add, { asynchronous })
  // @ts-expect-error nobody knows yet whether it is a receipt
  await undecided.completed()
  const unknown = await either.process(add)
  // @ts-expect-error nobody knows here what the application does
  await unknown.completed()
  // @ts-expect-error it is run now, and has no receipt
  await result.completed()
  // @ts-expect-error it is run later, and has no state yet
  totals.push(later.aggregateState)
}

export async function enqueued(): Promise<number | undefined> {
  const receipt = await sync.enqueue(add, { delay: 1_000, strict: true })
  // @ts-expect-error no router of the application registers it
  await sync.enqueue(Other({ x: '' }))
  // @ts-expect-error a signal does not reach a command that is run later
  await sync.enqueue(add, { signal: new AbortController().signal })
  // @ts-expect-error there is no such lane
  await sync.enqueue(add, { priority: 'urgent' })
  return (await receipt.completed({ timeout: 5 })).events[0]?.data.by
}
