import { afterEach, beforeEach, jest } from '@jest/globals'
import { temporaryFile } from '../adapters/sqlite/temporary-file.ts'
import { freshDatabase } from '../support/postgres-server.ts'
import { recordingLogger } from '../support/counter.ts'
import { ConfirmOrder, PlaceOrder, shop } from './shop-app.ts'

// Of each spec in a file that has a shop: a machine that others use too may be many times as slow as it mostly is.
jest.setTimeout(180_000)

/** Where the shop of one spec keeps its events. */
export interface ShopStore {
  /** A file, or a connection string: what `SHOP_STORE` is to say. */
  readonly address: string
}

type Place = { readonly address: string; remove(): unknown }

/** For `describe.each`: called once in a block, gives each spec of it a store of its own, which the module of the shop finds. */
export const shopStores: readonly { readonly kind: string; readonly share: () => ShopStore }[] = [
  {
    kind: 'SQLite',
    share: () =>
      sharedPlace(async () => {
        const file = temporaryFile()
        return { address: file.path, remove: file.remove }
      }),
  },
  {
    kind: 'PostgreSQL',
    share: () =>
      sharedPlace(async () => {
        const database = await freshDatabase()
        return { address: database.connectionString, remove: () => database.drop() }
      }),
  },
]

export function memoryShop(): ShopStore {
  return sharedPlace(async () => ({ address: '', remove: () => undefined }))
}

export function sqliteShop(): ShopStore {
  return shopStores[0]!.share()
}

function sharedPlace(make: () => Promise<Place>): ShopStore {
  let place: Place
  beforeEach(async () => {
    place = await make()
    process.env['SHOP_STORE'] = place.address
  }, 180_000)
  afterEach(async () => {
    delete process.env['SHOP_STORE']
    await place.remove()
  }, 180_000)
  return {
    get address() {
      return place.address
    },
  }
}

/** Lets the shop take orders of these amounts, `order-0` and so on, and handle what comes of them. */
export async function ordersPlaced(amounts: readonly number[]): Promise<void> {
  await withShop(async (app) => {
    for (const [index, amount] of amounts.entries()) await app.dispatch(PlaceOrder({ orderId: `${index}`, amount }))
    const confirmed = amounts.filter((amount) => amount !== 13).length
    const metrics = async () => (await app.metrics()).handlers
    const isDone = async () => {
      const { confirmer, amounts: projected } = await metrics()
      const parked = amounts.length - confirmed
      return confirmer?.lagEvents === 0 && (projected?.lagEvents ?? 0) === 0 && confirmer.parked >= parked
    }
    const deadline = Date.now() + 60_000
    while (!(await isDone())) {
      if (Date.now() > deadline) throw new Error('the shop did not do its work')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })
}

/** Confirms an order by another command of one correlation. */
export async function confirmedUnder(correlationId: string, orderId: string): Promise<void> {
  await withShop(async (app) => {
    await app.dispatch(ConfirmOrder({ orderId }), { correlationId })
  })
}

export async function withShop(work: (app: ReturnType<typeof shop>) => Promise<void>, workers = 0): Promise<void> {
  const app = shop(recordingLogger(), workers)
  await app.start()
  try {
    await work(app)
  } finally {
    await app.stop()
  }
}
