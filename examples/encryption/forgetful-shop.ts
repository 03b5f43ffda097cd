import { application, type Application, type EventStore, type Upcaster } from 'edict'
import { Customer, CustomerRegistered, customers } from './customers.ts'
import { encryptingSerializer, whenForgotten } from './encrypting-serializer.ts'
import type { KeyStore } from './key-store.ts'

/** Before all other upcasters: they need not know what is forgotten. */
export const forgetful: readonly Upcaster[] = [
  whenForgotten(CustomerRegistered, CustomerRegistered({ name: '(forgotten)', email: '(forgotten)' })),
]

/** What says who a customer is, is encrypted; what was ordered is not personal once nobody knows by whom. */
export const shopSerializer = (keys: KeyStore) =>
  encryptingSerializer({
    keys,
    subjectOf: (_data, { type, streamId, snapshot }) =>
      type === CustomerRegistered.type || (snapshot && type === Customer.name) ? streamId : undefined,
  })

export const forgetfulShop = (name: string, eventStore: EventStore, keys: KeyStore) =>
  application({
    name,
    router: customers,
    eventStore,
    serializer: shopSerializer(keys),
    upcasters: forgetful,
    snapshots: { [Customer.name]: { every: 100 } },
  })

/** Forgets a customer: what is stored cannot be read any more, and what is in memory or in a snapshot is let go. */
export async function forget(
  shop: Pick<Application<unknown>, 'evict'>,
  eventStore: EventStore,
  keys: KeyStore,
  id: string,
): Promise<void> {
  await keys.destroy(`customer-${id}`)
  await shop.evict(Customer, id)
  await eventStore.deleteSnapshot(`customer-${id}`)
}
