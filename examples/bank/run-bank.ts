import { application, CommandRejectedError, inMemoryEventStore } from 'edict'
import { accountBalances, type AccountBalance } from './account-balances.ts'
import { bankRouter } from './domain/bank-router.ts'
import type { Line } from './line-reader.ts'

export interface BankReport {
  /** Sorted by account number. */
  readonly accounts: readonly Readonly<AccountBalance>[]
  readonly accepted: number
  /** How many commands were rejected, by code. */
  readonly rejected: ReadonlyMap<string, number>
  /** The numbers of the lines that hold no command. */
  readonly invalid: readonly number[]
}

export interface BankOptions {
  readonly onInvalid?: (lineNumber: number, problem: string) => void
  /** Called now and then with the number of commands so far. */
  readonly onProgress?: (commands: number) => void
}

/** Runs a bank, from its first command to its last, one after the other. */
export async function runBank(
  batches: AsyncIterable<readonly Line[]>,
  { onInvalid, onProgress }: BankOptions = {},
): Promise<BankReport> {
  const { accounts, handler } = accountBalances()
  const bank = application({
    name: 'bank',
    router: bankRouter,
    eventStore: inMemoryEventStore(),
    handlers: [handler],
    // An account that is not among the live ones is folded from its events when the next command comes.
    cache: { aggregates: 100_000 },
  })

  let accepted = 0
  let refused = 0
  const rejected = new Map<string, number>()
  const invalid: number[] = []

  const run = async (line: Line) => {
    const parsed = parse(line)
    if (!parsed.ok) {
      invalid.push(line.number)
      onInvalid?.(line.number, parsed.error.message)
      return
    }
    const outcome = await bank.tryDispatch(parsed.value, { consistency: 'strong' })
    if (outcome.ok) {
      accepted += 1
    } else if (outcome.error instanceof CommandRejectedError) {
      refused += 1
      rejected.set(outcome.error.code, (rejected.get(outcome.error.code) ?? 0) + 1)
    } else {
      // A timeout, say: nothing that a bank in memory has to reckon with.
      throw outcome.error
    }
  }

  await bank.start()
  try {
    for await (const lines of batches) {
      for (const line of lines) await run(line)
      onProgress?.(accepted + refused)
    }
  } finally {
    await bank.stop()
  }

  return { accounts: [...accounts.values()].sort(byAccountNumber), accepted, rejected, invalid }
}

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

// By code unit, which is the same everywhere; what localeCompare says depends on the machine.
function byAccountNumber(a: AccountBalance, b: AccountBalance): number {
  return a.accountNumber < b.accountNumber ? -1 : 1
}
