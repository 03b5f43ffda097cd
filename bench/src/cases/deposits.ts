import type { Figures } from '../case.ts'
import type { Bank, OpenBank } from '../contenders/bank.ts'
import type { Effort } from '../effort.ts'
import { sum } from '../median.ts'
import { repeated, timed } from '../passes.ts'
import { verifyAccounts } from '../verify.ts'

export const accountNumbers = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `ACC-${String(index).padStart(6, '0')}`)

/** Differs from deposit to deposit, so that a lost or doubled one shows in the balance. */
export const amountOf = (turn: number): number => 1 + (turn % 7)

export const balanceAfter = (deposits: number): number => {
  let balance = 0
  for (let turn = 0; turn < deposits; turn++) balance += amountOf(turn)
  return balance
}

export async function openAll(bank: Bank, accounts: readonly string[]): Promise<void> {
  for (const account of accounts) await bank.open(account)
}

/** Deposits into each account in turn, over and over, one command after the other. */
export async function depositInTurn(bank: Bank, accounts: readonly string[], turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    const amount = amountOf(turn)
    for (const account of accounts) await bank.deposit(account, amount)
  }
}

/** Commands a second over all passes, which each begin with an empty store in which the accounts were opened. */
export async function depositsPerSecond(
  effort: Effort,
  openBank: OpenBank,
  count: number,
  turns: number,
): Promise<Figures> {
  const accounts = accountNumbers(count)
  const expected = { balance: balanceAfter(turns), version: turns + 1 }
  const passes = await repeated(effort, async () => {
    const bank = await openBank()
    await openAll(bank, accounts)
    const elapsed = await timed(() => depositInTurn(bank, accounts, turns))
    await verifyAccounts(bank, accounts, expected)
    await bank.close()
    return elapsed
  })
  const perSecond = (passes.length * count * turns) / (sum(passes) / 1_000)
  return { perSecond, microseconds: 1e6 / perSecond }
}
