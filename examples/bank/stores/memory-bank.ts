import { inMemoryEventStore } from 'edict'
import { accountBalances } from './account-balances.ts'
import type { BankStore } from './bank-store.ts'

/** A bank that is gone when the program ends: events, rows and the handler's checkpoint alike. */
export function memoryBank(): BankStore {
  const { accounts, handler } = accountBalances()
  return {
    eventStore: inMemoryEventStore(),
    accountBalances: handler,
    readAccounts: async () => [...accounts.values()],
  }
}
