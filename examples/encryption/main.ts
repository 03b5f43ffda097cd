import { inMemoryEventStore } from 'edict'
import { Customer, PlaceOrder, RegisterCustomer } from './customers.ts'
import { forget, forgetfulShop } from './forgetful-shop.ts'
import { inMemoryKeyStore } from './key-store.ts'

const [eventStore, keys] = [inMemoryEventStore(), inMemoryKeyStore()]
const shop = await forgetfulShop('shop', eventStore, keys).start()

await shop.dispatch(RegisterCustomer({ id: '17', name: 'Ada', email: 'ada@example.com' }))
await shop.dispatch(PlaceOrder({ id: '17', total: 42 }))
console.log('known:', await shop.aggregateState(Customer, '17'))
console.log(
  'stored:',
  (await eventStore.readStream('customer-17')).events.map(({ data }) => data),
)

await forget(shop, eventStore, keys, '17')
console.log('forgotten:', await shop.aggregateState(Customer, '17'))
await shop.stop()
