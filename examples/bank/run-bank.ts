import { application, CommandRejectedError } from 'edict'
import { CommandWindow } from './command-window.ts'
import { bankRouter } from './domain/bank-router.ts'
import { moneyTransfer } from './domain/money-transfer.ts'
import type { Line } from './line-reader.ts'
import { keepBooks, type MoneyBooks } from './money-books.ts'
import { byAccountNumber, type AccountBalance } from './stores/account-balance.ts'
import type { BankStore } from './stores/bank-store.ts'
import { untilCaughtUp } from './stores/until-caught-up.ts'

/** Milliseconds: enough for a slow disk with a long queue before it, and for a handler whose last owner was killed. */
const PATIENCE = 60_000

export interface BankReport {
  /** All that the bank has, from earlier runs too; sorted by account number. */
  readonly accounts: readonly Readonly<AccountBalance>[]
  readonly accepted: number
  /** How many commands were rejected, by code. */
  readonly rejected: ReadonlyMap<string, number>
  /** How many transfers came to their end, in earlier runs too. */
  readonly transfers: Readonly<MoneyBooks['transfers']>
  /** The numbers of the lines that hold no command. */
  readonly invalid: readonly number[]
}

export interface BankOptions {
  readonly onInvalid?: (lineNumber: number, problem: string) => void
  /** Called now and then with the number of commands so far. */
  readonly onProgress?: (commands: number) => void
}

/**
 * Runs a bank, from its first command to its last. Many commands are under way at a time; those of one account take effect one
 * after the other, in the order in which they were begun.
 */
export async function runBank(
  batches: AsyncIterable<readonly Line[]>,
  store: BankStore,
  { onInvalid, onProgress }: BankOptions = {},
): Promise<BankReport> {
  const bank = application({
    name: 'bank',
    router: bankRouter,
    eventStore: store.eventStore,
    handlers: [store.accountBalances, moneyTransfer],
    defaults: { timeout: PATIENCE, consistencyTimeout: PATIENCE, consistency: 'strong' },
    // An account that is not among the live ones is folded from its events when the next command comes.
    cache: { aggregates: 100_000 },
  })

  let accepted = 0
  let refused = 0
  const rejected = new Map<string, number>()
  const invalid: number[] = []

  const run = async (command: BankCommand) => {
    const outcome = await bank.tryDispatch(command)
    if (outcome.ok) {
      accepted += 1
    } else if (outcome.error instanceof CommandRejectedError) {
      refused += 1
      rejected.set(outcome.error.code, (rejected.get(outcome.error.code) ?? 0) + 1)
    } else {
      // The store failed, or took too long. Whoever runs the bank has to look, and to run the rest again.
      throw outcome.error
    }
  }

  await bank.start()
  const { eventStore, accountBalances } = store
  const { books, upTo, stop } = keepBooks(eventStore)
  try {
    const window = new CommandWindow()
    for await (const lines of batches) {
      for (const line of lines) {
        const parsed = parse(line)
        if (parsed.ok) {
          await window.begin(() => run(parsed.value))
        } else {
          invalid.push(line.number)
          onInvalid?.(line.number, parsed.error.message)
        }
      }
      onProgress?.(accepted + refused)
    }
    await window.end()
    // A transfer takes a few steps more than its command.
    await untilCaughtUp(eventStore, [moneyTransfer, accountBalances], PATIENCE)
    onProgress?.(accepted + refused)
    const head = await eventStore.headPosition()
    await upTo(head)
    const accounts = await store.readAccounts()
    // Another process may have gone on meanwhile, and moved some more.
    if ((await eventStore.headPosition()) === head) assertConserved(accounts, books)
    const { transfers } = books
    return { accounts: accounts.toSorted(byAccountNumber), accepted, rejected, transfers, invalid }
  } finally {
    await stop()
    await bank.stop()
  }
}

/** @throws Error where money has appeared or vanished */
function assertConserved(accounts: readonly Readonly<AccountBalance>[], { paidIn, underWay }: MoneyBooks): void {
  const kept = accounts.reduce((sum, { balance }) => sum + balance, 0)
  // Past the safe integers the sums of all accounts are rounded, and say nothing.
  if (kept + underWay === paidIn || !Number.isSafeInteger(kept) || !Number.isSafeInteger(paidIn)) return
  throw new Error(`the accounts hold ${kept}, ${underWay} is under way, and ${paidIn} was paid in`)
}

type BankCommand = Extract<ReturnType<typeof bankRouter.safeParse>, { readonly ok: true }>['value']

/** A line comes from outside: the router makes a command of it, or says what is wrong. */
function parse({ text, problem }: Line) {
  if (problem !== undefined) return { ok: false, error: new Error(problem) } as const
  try {
    return bankRouter.safeParse(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, error } as const
    throw error
  }
}
