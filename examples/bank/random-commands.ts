import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { CloseAccount, DepositMoney, OpenAccount, WithdrawMoney } from './domain/commands.ts'
import { randomPerson } from './names.ts'

export interface RandomCommandsOptions {
  readonly commands: number
  /** How many accounts are open at a time, once the bank has grown. */
  readonly accounts: number
  readonly seed: number
}

interface OpenedAccount {
  readonly accountNumber: string
  balance: number
}

type BankCommand = ReturnType<typeof OpenAccount | typeof DepositMoney | typeof WithdrawMoney | typeof CloseAccount>

/**
 * The days of a bank: it grows over the first half of the time, money comes and goes, accounts are closed and others
 * opened, and now and then somebody asks for what the bank has to refuse. The same options give the same commands.
 */
export function* randomCommands({ commands, accounts, seed }: RandomCommandsOptions): Generator<BankCommand, void> {
  const random = xoroshiro128plus(seed)
  const between = (least: number, most: number) => uniformInt(random, least, most)
  const oneOf = <Item>(items: readonly Item[]) => items[between(0, Math.max(0, items.length - 1))]

  const open: OpenedAccount[] = []
  const closed: string[] = []
  let opened = 0

  const openNext = () => {
    const { country, name: owner } = randomPerson(random)
    // The running count makes the number unique.
    opened += 1
    const accountNumber = `${country}${between(10, 99)}-${String(opened).padStart(7, '0')}`
    const initialBalance = between(1, 10) === 1 ? 0 : between(1, 2_000) * 100
    open.push({ accountNumber, balance: initialBalance })
    return OpenAccount({ accountNumber, owner, initialBalance })
  }

  const deposit = (account: OpenedAccount) => {
    const amount = between(500, 450_000)
    account.balance += amount
    return DepositMoney({ accountNumber: account.accountNumber, amount })
  }

  const withdraw = (account: OpenedAccount, amount: number) => {
    account.balance -= amount
    return WithdrawMoney({ accountNumber: account.accountNumber, amount })
  }

  const close = (account: OpenedAccount) => {
    const last = open.pop()
    const index = open.indexOf(account)
    if (last !== undefined && last !== account) open[index] = last
    closed.push(account.accountNumber)
    return CloseAccount({ accountNumber: account.accountNumber })
  }

  const refused = ({ accountNumber, balance }: OpenedAccount) => {
    const nobody = `XX00-${String(between(0, 9_999_999)).padStart(7, '0')}`
    const gone = oneOf(closed) ?? nobody
    const amount = between(100, 50_000)
    switch (between(0, 8)) {
      case 0:
        return OpenAccount({ accountNumber, owner: randomPerson(random).name, initialBalance: amount })
      case 1:
        return DepositMoney({ accountNumber: nobody, amount })
      case 2:
        return DepositMoney({ accountNumber: gone, amount })
      case 3:
        return WithdrawMoney({ accountNumber: gone, amount })
      case 4:
        return CloseAccount({ accountNumber: gone })
      case 5:
        return balance > 0 ? CloseAccount({ accountNumber }) : CloseAccount({ accountNumber: nobody })
      default:
        return WithdrawMoney({ accountNumber, amount: balance + amount })
    }
  }

  const anything = () => {
    const account = oneOf(open)
    const behindSchedule = open.length < accounts && between(1, commands) <= accounts * 2
    if (account === undefined || behindSchedule) return openNext()
    const dice = between(1, 100)
    if (dice <= 8) return refused(account)
    if (account.balance === 0) return dice <= 75 ? deposit(account) : close(account)
    if (dice <= 11) return withdraw(account, account.balance)
    return dice <= 55 ? withdraw(account, between(1, Math.min(account.balance, 60_000))) : deposit(account)
  }

  for (let index = 0; index < commands; index++) yield anything()
}
