import type { Bank } from './contenders/bank.ts'

/** A result that is fast and wrong is no result. */
export function verify(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`wrong result: ${what} is ${actual}, and should be ${expected}`)
}

export interface Expected {
  readonly balance: number
  readonly version: number
}

/** Looks at every account in the contender's own store. */
export async function verifyAccounts(bank: Bank, accountNumbers: readonly string[], expected: Expected): Promise<void> {
  for (const accountNumber of accountNumbers) {
    const { balance, version } = await bank.account(accountNumber)
    verify(`the balance of ${accountNumber}`, balance, expected.balance)
    verify(`the version of ${accountNumber}`, version, expected.version)
  }
}
