import type { ProjectionHarness } from 'edict/testing'
import pg, { type ClientBase } from 'pg'

const quoted = (name: string) => pg.escapeIdentifier(name)

/** What the conformance suite does in transactions, in PostgreSQL's words. */
export function projectionHarness(connectionString: string): ProjectionHarness {
  return {
    createTable: async (tx, name) => {
      await clientOf(tx).query(`CREATE TABLE ${quoted(name)} (id text PRIMARY KEY)`)
    },
    insert: async (tx, name, id) => {
      await clientOf(tx).query(`INSERT INTO ${quoted(name)} VALUES ($1)`, [id])
    },
    count: async (name) => {
      const client = new pg.Client({ connectionString })
      await client.connect()
      try {
        const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${quoted(name)}`)
        return Number(rows[0]?.count)
      } finally {
        await client.end()
      }
    },
  }
}

/** What the store's transactions give, as the suite does not know. */
function clientOf(tx: unknown): ClientBase {
  return tx as ClientBase
}
