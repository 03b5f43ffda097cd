import type { ApplicationDefinition, EventStore } from 'edict'
import type { AccountBalance } from './account-balance.ts'

/**
 * Where a bank keeps its events, and the read model that goes with it. They belong together: a read model lives as long as the
 * checkpoint that says how far it has come. Where the store is in memory, so are the rows; where it is a database, they are in a
 * table of that database, so that the next run finds them as this one leaves them.
 */
export interface BankStore {
  readonly eventStore: EventStore
  /** Keeps the rows up with the events. */
  readonly accountBalances: NonNullable<ApplicationDefinition<unknown>['handlers']>[number]
  /** All rows, in no order. The bank may be running, or have stopped. */
  readAccounts(): Promise<readonly AccountBalance[]>
}
