// Appends to a store that others append to as well, and prints each position that was acknowledged:
// appending-process.ts PATH NAME APPENDS IN_FLIGHT
import { sqliteEventStore } from '../../../lib/sqlite/index.ts'
import { encodedAppend, encodedEvent } from './sample-event.ts'

const [path = '', name = '', appends = '0', inFlight = '1'] = process.argv.slice(2)

const store = sqliteEventStore(path, { busyTimeout: 30_000 })
await store.open()
let left = Number(appends)
await Promise.all(
  Array.from({ length: Number(inFlight) }, async () => {
    while (left > 0) {
      const number = left--
      const commandId = `${name}-${number}`
      const events = [
        encodedEvent({ commandId, eventId: `${commandId}/1` }),
        encodedEvent({ commandId, eventId: `${commandId}/2` }),
      ]
      const [answer] = await store.append([encodedAppend(`account-${number % 7}`, 1, { events })])
      if (answer?.status !== 'appended') throw new Error(`the append was answered ${answer?.status ?? 'nothing'}`)
      process.stdout.write(`${answer.firstPosition} ${commandId}\n`)
    }
  }),
)
await store.close()
