// Opens a store, appends to it, and prints the error that comes of it: opening-process.ts PATH
import { describeThrown, isEdictError } from '../../../lib/errors.ts'
import { sqliteEventStore } from '../../../lib/sqlite/index.ts'

try {
  const store = sqliteEventStore(process.argv[2] ?? '')
  await store.open()
  await store.close()
  console.log('opened')
} catch (thrown) {
  console.log(isEdictError(thrown) ? `${thrown.code} ${thrown.outcome} ${thrown.message}` : describeThrown(thrown))
}
