import { setTimeout as pause } from 'node:timers/promises'
import { subscribe, type EventStore, type RecordedEvent } from 'edict'
import {
  AccountOpened,
  MoneyDeposited,
  MoneyTransferFailed,
  MoneyTransferred,
  MoneyWithdrawn,
} from './domain/events.ts'

export interface MoneyBooks {
  /** All that was paid in, less all that was paid out. */
  paidIn: number
  /** What transfers have taken out of accounts, and given to none: it is under way, or the bank holds it. */
  underWay: number
  /** How many transfers came to their end. */
  readonly transfers: { completed: number; failed: number }
}

// What is stored under a type is what its definition made.
type DataOf<Definition extends (data: never) => { readonly data: unknown }> = ReturnType<Definition>['data']

function book(books: MoneyBooks, { type, data }: RecordedEvent): void {
  switch (type) {
    case AccountOpened.type:
      books.paidIn += (data as DataOf<typeof AccountOpened>).initialBalance
      return
    case MoneyDeposited.type:
    case MoneyWithdrawn.type: {
      const { amount, transferId } = data as DataOf<typeof MoneyDeposited>
      const intoAccount = type === MoneyDeposited.type ? amount : -amount
      if (transferId === undefined) books.paidIn += intoAccount
      else books.underWay -= intoAccount
      return
    }
    case MoneyTransferred.type:
      books.transfers.completed += 1
      return
    case MoneyTransferFailed.type:
      books.transfers.failed += 1
      return
    default:
  }
}

/**
 * Keeps books of all the money, from the first event on, beside the read model and not knowing of it: what is in the accounts and what
 * is under way must be what was paid in.
 */
export function keepBooks(eventStore: EventStore) {
  const books: MoneyBooks = { paidIn: 0, underWay: 0, transfers: { completed: 0, failed: 0 } }
  const events = [AccountOpened, MoneyDeposited, MoneyWithdrawn, MoneyTransferred, MoneyTransferFailed]
  const subscription = subscribe(eventStore, {
    types: events.map(({ type }) => type),
    handle: (event) => {
      book(books, event)
    },
  })
  return {
    books,
    /** Resolves when the books hold all events up to a position. */
    upTo: async (position: number) => {
      while (subscription.position < position) await Promise.race([pause(5), subscription.ended])
    },
    stop: () => subscription.stop(),
  }
}
