import { application, inMemoryEventStore, workflow } from 'edict'
import { Enter, Entered, ledgerRouter, Look } from '../batches/ledger.ts'

// What the compiler knows of batches: each command is one of the application's, and each result is its command's.

const app = application({ name: 'types', router: ledgerRouter(), eventStore: inMemoryEventStore() })

export async function accepted(): Promise<void> {
  const { results } = await app.executeCommands(Enter({ ledger: 'a', text: 'one' }), Look({ ledger: 'a' }))
  const [entered, looked] = results
  const texts: readonly string[] = [...entered.aggregateState.texts, ...looked.aggregateState.texts]
  const event = entered.events[0]
  if (event !== undefined) texts.concat(event.data.text)
  // @ts-expect-error there were two commands
  texts.concat(results[2])
  // @ts-expect-error the state of a ledger has texts
  texts.concat(entered.aggregateState.text)
  const list = [Enter({ ledger: 'a', text: 'one' })]
  const many = await app.executeCommands(list, { tenant: 'acme' })
  many.results.map(({ aggregateState }) => aggregateState.texts.length)
}

export function refused(): void {
  // @ts-expect-error that is an event
  void app.executeCommands(Entered({ text: 'one', after: 0 }))
  // @ts-expect-error an expected version is one aggregate's
  void app.executeCommands([Look({ ledger: 'a' })], { expectedVersion: 1 })
  workflow('w', {
    events: [Entered],
    handle: {
      Entered: ({ text }, recorded, { executeCommands }) => {
        const { commands } = executeCommands(Enter({ ledger: recorded.streamId, text }))
        const ids: readonly string[] = commands.map(({ commandId }) => commandId)
        // @ts-expect-error a receipt is no promise
        ids.concat(executeCommands().then)
      },
    },
  })
}
