// A second bank, as plain as can be, to hold the example against. It knows nothing of the example or of the library.

export type ModelCommand =
  | { readonly type: 'OpenAccount'; readonly data: { accountNumber: string; owner: string; initialBalance: number } }
  | { readonly type: 'DepositMoney'; readonly data: { accountNumber: string; amount: number } }
  | { readonly type: 'WithdrawMoney'; readonly data: { accountNumber: string; amount: number } }
  | { readonly type: 'CloseAccount'; readonly data: { accountNumber: string } }

export interface ModelAccount {
  readonly accountNumber: string
  readonly owner: string
  status: 'open' | 'closed'
  balance: number
  version: number
}

export interface ModelReport {
  readonly accounts: readonly ModelAccount[]
  readonly accepted: number
  readonly rejected: Readonly<Record<string, number>>
  readonly invalid: readonly number[]
}

export class BankModel {
  readonly #accounts: ModelAccount[] = []
  readonly #rejected: Record<string, number> = {}
  #accepted = 0
  /** All that was paid in, less all that was paid out. */
  moneyKept = 0

  run(command: ModelCommand): void {
    const code = this.#refusal(command)
    if (code === undefined) {
      this.#accepted++
      this.#apply(command)
    } else {
      this.#rejected[code] = (this.#rejected[code] ?? 0) + 1
    }
  }

  report(invalid: readonly number[] = []): ModelReport {
    const accounts = this.#accounts.toSorted((a, b) => (a.accountNumber < b.accountNumber ? -1 : 1))
    return { accounts, accepted: this.#accepted, rejected: this.#rejected, invalid }
  }

  #find(accountNumber: string): ModelAccount | undefined {
    return this.#accounts.find((account) => account.accountNumber === accountNumber)
  }

  #refusal({ type, data }: ModelCommand): string | undefined {
    const account = this.#find(data.accountNumber)
    if (account?.status === 'closed') return 'account_closed'
    if (type === 'OpenAccount') return account && 'account_already_open'
    if (account === undefined) return 'account_not_open'
    if (type === 'WithdrawMoney' && data.amount > account.balance) return 'insufficient_funds'
    if (type === 'CloseAccount' && account.balance !== 0) return 'account_not_empty'
    return undefined
  }

  #apply({ type, data }: ModelCommand): void {
    if (type === 'OpenAccount') {
      const { accountNumber, owner, initialBalance } = data
      this.#accounts.push({ accountNumber, owner, status: 'open', balance: initialBalance, version: 1 })
      this.moneyKept += initialBalance
      return
    }
    const account = this.#find(data.accountNumber)!
    account.version++
    if (type === 'CloseAccount') account.status = 'closed'
    else {
      const paidIn = type === 'DepositMoney' ? data.amount : -data.amount
      account.balance += paidIn
      this.moneyKept += paidIn
    }
  }
}
