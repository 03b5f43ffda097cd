import { application, eventHandler, inMemoryEventStore, park, processManager } from 'edict'
import { counterRouter, Added } from '../support/counter.ts'

const base = { events: [Added] } as const

eventHandler('stateful', {
  ...base,
  initialState: () => ({ total: 0 }),
  handle: ({ by }, _recorded, context) => {
    context.state.total += by
    context.state = { total: 1 }
    // @ts-expect-error the state is of one type
    context.state = { other: 1 }
  },
})
eventHandler('stateless', {
  ...base,
  handle: (_data, _recorded, { state }) => {
    const nothing: undefined = state
    return nothing
  },
})
eventHandler('batches', {
  ...base,
  batchSize: 10,
  initialState: () => 0,
  handleBatch: (events, context) => {
    for (const { data } of events) context.state += data.by
  },
  onError: (_error, _recorded, { batch, assigns }) => {
    assigns['size'] = batch?.length
    return park()
  },
})
eventHandler('selecting', { ...base, selector: ({ data }) => data.by > 1, handle: () => undefined })
// @ts-expect-error a selector says true or false
eventHandler('selecting', { ...base, selector: () => 'yes', handle: () => undefined })
// @ts-expect-error exactly one of the two
eventHandler('both', { ...base, batchSize: 1, handle: () => undefined, handleBatch: () => undefined })
// @ts-expect-error one of the two is needed
eventHandler('neither', { ...base })
// @ts-expect-error batchSize is missing
eventHandler('sizeless', { ...base, handleBatch: () => undefined })
// @ts-expect-error batches are handled one after the other
eventHandler('concurrent', { ...base, batchSize: 1, concurrency: 2, handleBatch: () => undefined })
// @ts-expect-error no such subscription
eventHandler('elsewhere', { ...base, subscribeTo: { topic: 'a' }, handle: () => undefined })

const app = application({ name: 'types', router: counterRouter, eventStore: inMemoryEventStore() })
// @ts-expect-error a selection is one of three
await app.handler('a').replay({ stream: 'a' })
// @ts-expect-error what is discarded has to be said
await app.handler('a').discard()

const totals = eventHandler('totals', { ...base, handle: () => undefined })
await app.handler(totals).reset()
const process = processManager('process', {
  ...base,
  initialState: () => ({ sum: 0 }),
  interested: () => undefined,
  handle: {},
})
await app.handler(process).replay({ key: 'a' })
// @ts-expect-error a process manager cannot be reset
await app.handler(process).reset()

const following = { ...base, initialState: () => 0, interested: () => undefined, handle: {} } as const
processManager('one', { ...following, subscribeTo: { stream: 'a' } })
processManager('category', { ...following, subscribeTo: { category: 'A' } })
// @ts-expect-error no such subscription
processManager('elsewhere', { ...following, subscribeTo: { topic: 'a' } })
