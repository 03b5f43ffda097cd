import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BankStore } from './bank-store.ts'
import { memoryBank } from './memory-bank.ts'
import type { StoreChoice } from './store-choice.ts'

/** Makes the store that was chosen; what is temporary is gone after the work, however that ends. */
export async function withBankStore<Result>(
  choice: StoreChoice,
  work: (store: BankStore) => Promise<Result>,
): Promise<Result> {
  switch (choice.kind) {
    case 'memory':
      return work(memoryBank())
    case 'sqlite':
      return work(await sqliteBank(choice.path))
    case 'postgres':
      return work(await postgresBank(choice.connectionString))
    case 'temporary':
      return withTemporaryFolder(async (folder) => work(await sqliteBank(join(folder, 'bank.db'))))
  }
}

// A driver is loaded where it is needed, and nowhere else.
const sqliteBank = async (path: string): Promise<BankStore> => (await import('./sqlite-bank.ts')).sqliteBank(path)

const postgresBank = async (connectionString: string): Promise<BankStore> =>
  (await import('./postgres-bank.ts')).postgresBank(connectionString)

async function withTemporaryFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'edict-bank-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
