import process from 'node:process'
import { aggregate, application, command, event, router, shape, type Application, type EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import { plantedQueue, type QueuePlant } from './planted-queue.ts'
import { pause } from './random.ts'

// The application of the fault specs of the queue: desks that take numbers. A desk that is sent 1, 2, 3 … has to take just these, in
// this order; the desk itself does not look, so that the spec sees whatever goes wrong.

export const TakeNumber = command('TakeNumber', shape<{ desk: string; number: number }>())
export const NumberTaken = event('NumberTaken', shape<{ number: number }>())

const Desk = aggregate('Desk', {
  commands: [TakeNumber],
  events: [NumberTaken],
  initialState: () => ({}),
  execute: { TakeNumber: (_desk, { number }) => NumberTaken({ number }) },
  apply: { NumberTaken: () => undefined },
})

/** Milliseconds that a command takes, so that a kill hits some. */
const WORK = 10

export const DESK_PREFIX = 'desk-'

const desks = router('desks', (builder) =>
  builder.identify(Desk, { by: 'desk', prefix: DESK_PREFIX }).dispatch([TakeNumber], {
    to: async (_desk: object, { number }: { readonly number: number }) => {
      await pause(WORK)
      return NumberTaken({ number })
    },
    aggregate: Desk,
  }),
)

function storeOf(address: string): EventStore {
  return address.startsWith('postgres')
    ? postgresEventStore({ connectionString: address, maxConnections: 5 })
    : sqliteEventStore(address, { busyTimeout: 60_000 })
}

/** `DESKS_STORE` is a file or a connection string, `DESKS_PLANT` a bug. */
export function deskApplication(address: string, plant?: QueuePlant) {
  return application({
    name: 'desks',
    router: desks,
    eventStore: plantedQueue(storeOf(address), plant),
    queue: { lease: 1_000, pollInterval: 200, backoff: { base: 10 } },
  })
}

export default (): Application<unknown> =>
  deskApplication(
    process.env['DESKS_STORE'] ?? '',
    process.env['DESKS_PLANT'] as QueuePlant | undefined,
  ) as unknown as Application<unknown>
