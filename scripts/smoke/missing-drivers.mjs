// Runs where neither driver is installed: everything can be imported, and opening a store says what is missing.
import { sqliteEventStore } from 'edict/sqlite'
import { postgresEventStore } from 'edict/postgres'
import { smoke } from './smoke.mjs'

const stores = {
  'better-sqlite3': () => sqliteEventStore('accounts.db'),
  pg: () => postgresEventStore({ connectionString: 'postgres://localhost/accounts' }),
}

for (const [driver, make] of Object.entries(stores)) {
  const error = await (async () => make().open())().then(
    () => undefined,
    (thrown) => thrown,
  )
  if (error?.code !== 'missing_driver' || error.packageName !== driver || !error.message.includes(driver)) {
    throw new Error(`without ${driver}, opening its store should say so`, { cause: error })
  }
  console.log(`without ${driver}: ${error.message}`)
}
console.log(`without drivers: ${await smoke()}`)
