import type { OpenStores } from './open-stores.ts'

/** How SQLite goes about a query on the tables of a store, with values for what it asks. */
export async function planOf(stores: OpenStores, sql: string): Promise<string[]> {
  const { path } = stores.file()
  await stores.open(path)
  const named = Object.fromEntries([...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name, 1]))
  const values: unknown[] = [...sql.matchAll(/\?/g)].map(() => 1)
  if (Object.keys(named).length > 0) values.push(named)
  const rows = stores
    .connect(path)
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...values)
  return (rows as { readonly detail: string }[]).map(({ detail }) => detail)
}
