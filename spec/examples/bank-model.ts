// A second bank, as plain as can be, to hold the example against. It knows nothing of the example or of the library.

export type ModelCommand =
  | { readonly type: 'OpenAccount'; readonly data: { accountNumber: string; owner: string; initialBalance: number } }
  | { readonly type: 'DepositMoney'; readonly data: { accountNumber: string; amount: number } }
  | { readonly type: 'WithdrawMoney'; readonly data: { accountNumber: string; amount: number } }
  | { readonly type: 'CloseAccount'; readonly data: { accountNumber: string } }
  | { readonly type: 'TransferMoney'; readonly data: { transferId: string; from: string; to: string; amount: number } }

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
  readonly transfers: { readonly completed: number; readonly failed: number }
  readonly invalid: readonly number[]
}

export class BankModel {
  readonly #accounts: ModelAccount[] = []
  readonly #rejected: Record<string, number> = {}
  readonly #transfers = { completed: 0, failed: 0 }
  readonly #transferIds = new Set<string>()
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
    return { accounts, accepted: this.#accepted, rejected: this.#rejected, transfers: this.#transfers, invalid }
  }

  #find(accountNumber: string): ModelAccount | undefined {
    return this.#accounts.find((account) => account.accountNumber === accountNumber)
  }

  #refusal(command: ModelCommand): string | undefined {
    if (command.type === 'TransferMoney') {
      const { transferId, from, to } = command.data
      if (this.#transferIds.has(transferId)) return 'transfer_already_requested'
      return from === to ? 'same_account' : undefined
    }
    const { type, data } = command
    const account = this.#find(data.accountNumber)
    if (account?.status === 'closed') return 'account_closed'
    if (type === 'OpenAccount') return account && 'account_already_open'
    if (account === undefined) return 'account_not_open'
    if (type === 'WithdrawMoney' && data.amount > account.balance) return 'insufficient_funds'
    if (type === 'CloseAccount' && account.balance !== 0) return 'account_not_empty'
    return undefined
  }

  /** At once, and whole. */
  #transfer({ transferId, from, to, amount }: Extract<ModelCommand, { type: 'TransferMoney' }>['data']): void {
    this.#transferIds.add(transferId)
    const [payer, payee] = [this.#find(from), this.#find(to)]
    if (payer?.status !== 'open' || payer.balance < amount) {
      this.#transfers.failed++
      return
    }
    // The money is taken, and given: to the payee, or back.
    payer.version++
    const isTaken = payee?.status === 'open'
    const receiver = isTaken ? payee : payer
    payer.balance -= amount
    receiver.balance += amount
    receiver.version++
    if (isTaken) this.#transfers.completed++
    else this.#transfers.failed++
  }

  #apply(command: ModelCommand): void {
    if (command.type === 'TransferMoney') {
      this.#transfer(command.data)
      return
    }
    const { type, data } = command
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
