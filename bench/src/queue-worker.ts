// One of several processes that run the queued commands of a bank: fork queue-worker.js with the kind of a store and its place. It
// says when it works, and ends when it is told anything.
import { storeAt, type StoreKind } from './contenders/durable-store.ts'
import { application } from './edict.ts'
import { pureRouter } from './domain/edict-account.ts'

const [kind, place = ''] = process.argv.slice(2)
const bank = application({
  name: 'bank',
  router: pureRouter(),
  eventStore: storeAt(kind as StoreKind, place),
  workers: 16,
})
await bank.start()

process.on('message', () => {
  void bank.stop().then(() => process.disconnect?.())
})
process.send?.('ready')
