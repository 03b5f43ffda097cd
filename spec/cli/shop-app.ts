import { existsSync } from 'node:fs'
import process from 'node:process'
import {
  aggregate,
  application,
  command,
  event,
  eventHandler,
  inMemoryEventStore,
  park,
  reject,
  router,
  shape,
  type EventStore,
  type Logger,
} from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { projection as sqliteProjection, sqliteEventStore } from 'edict/sqlite'
import { projection as postgresProjection } from 'edict/postgres'

// The application of the specs of the command line: a module as a user writes one, whose store is where the environment says.

// While there is a file of this name, a process that loads this module has not loaded it.
const held = process.env['SHOP_HELD']
while (held !== undefined && existsSync(held)) await new Promise((resolve) => setTimeout(resolve, 20))

export const PlaceOrder = command('PlaceOrder', shape<{ orderId: string; amount: number }>())
export const ConfirmOrder = command('ConfirmOrder', shape<{ orderId: string }>())
export const OrderPlaced = event('OrderPlaced', shape<{ orderId: string; amount: number }>())
export const OrderConfirmed = event('OrderConfirmed', shape<{ orderId: string }>())

export const Order = aggregate('Order', {
  commands: [PlaceOrder, ConfirmOrder],
  events: [OrderPlaced, OrderConfirmed],
  initialState: () => ({ amount: 0, confirmed: false }),
  execute: {
    PlaceOrder: (_order, order) => {
      if (order.amount === 666 && process.env['SHOP_FIXED'] === undefined)
        throw new Error('666 is more than I can bear')
      return order.amount < 0 ? reject('negative_amount') : OrderPlaced(order)
    },
    ConfirmOrder: (order, { orderId }) => (order.confirmed ? undefined : OrderConfirmed({ orderId })),
  },
  apply: {
    OrderPlaced: (order, { amount }) => {
      order.amount += amount
    },
    OrderConfirmed: (order) => {
      order.confirmed = true
    },
  },
})

export const orderRouter = router('orders', (orders) =>
  orders.identify(Order, { by: 'orderId', prefix: 'order-' }).dispatch([PlaceOrder, ConfirmOrder], { to: Order }),
)

/** Each order that is placed is confirmed; of an amount of 13 it knows nothing, and sets it aside. */
export const confirmer = eventHandler('confirmer', {
  events: [OrderPlaced],
  onError: () => park(),
  handle: async ({ orderId, amount }, _recorded, { dispatch }) => {
    if (amount === 13 && process.env['SHOP_FIXED'] === undefined) throw new Error('thirteen is too much for me')
    await dispatch(ConfirmOrder({ orderId }))
  },
})

const COLUMNS = 'order_id TEXT PRIMARY KEY, amount INTEGER NOT NULL'

function projectionFor(kind: 'sqlite' | 'postgres') {
  return kind === 'sqlite'
    ? sqliteProjection('amounts', {
        events: [OrderPlaced],
        tables: { order_amounts: COLUMNS },
        project: ({ orderId, amount }, _recorded, tx, { tables }) => {
          tx.prepare(`INSERT OR REPLACE INTO ${tables.order_amounts} VALUES (?, ?)`).run(orderId, amount)
        },
      })
    : postgresProjection('amounts', {
        events: [OrderPlaced],
        tables: { order_amounts: COLUMNS },
        project: async ({ orderId, amount }, _recorded, tx, { tables }) => {
          const upsert = `INSERT INTO ${tables.order_amounts} VALUES ($1, $2) ON CONFLICT (order_id) DO UPDATE SET amount = $2`
          await tx.query(upsert, [orderId, amount])
        },
      })
}

/** One for all that this module makes, as a file would be. */
const inMemory = inMemoryEventStore()

function storeOf(address: string): EventStore {
  if (address === '') return inMemory
  return address.startsWith('postgres')
    ? postgresEventStore({ connectionString: address, maxConnections: 3 })
    : sqliteEventStore(address, { busyTimeout: 60_000 })
}

/** `SHOP_STORE` is a file, or a connection string; in memory where it is empty. */
export function shop(logger?: Logger, workers = 0) {
  const address = process.env['SHOP_STORE'] ?? ''
  const kind = address.startsWith('postgres') ? 'postgres' : 'sqlite'
  return application({
    name: 'shop',
    router: orderRouter,
    eventStore: storeOf(address),
    handlers: [confirmer, ...(address === '' ? [] : [projectionFor(kind)])],
    ...(logger && { logger }),
    subscriptions: { lease: 10_000, claimInterval: 100 },
    queue: { lease: 10_000, pollInterval: 200, maxAttempts: 2, backoff: { base: 1 } },
    workers,
  })
}

export default () => shop()
