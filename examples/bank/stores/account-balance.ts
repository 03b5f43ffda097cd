/** A row of the read model. */
export interface AccountBalance {
  readonly accountNumber: string
  readonly owner: string
  status: 'open' | 'closed'
  balance: number
  /** The version of the account's stream that this row shows. */
  version: number
}

// By code unit, which is the same everywhere; what localeCompare or a database's collation says depends on the machine.
export function byAccountNumber(a: AccountBalance, b: AccountBalance): number {
  return a.accountNumber < b.accountNumber ? -1 : 1
}
