/** What every contender that stores events can do. */
export interface Bank {
  open(accountNumber: string): Promise<unknown>
  deposit(accountNumber: string, amount: number): Promise<unknown>
  /** What its store holds of an account. */
  account(accountNumber: string): Promise<{ readonly balance: number; readonly version: number }>
  close(): Promise<void>
}

export type OpenBank = () => Promise<Bank>
