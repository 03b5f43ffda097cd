import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { CloseAccount, DepositMoney, OpenAccount, TransferMoney, WithdrawMoney } from './domain/commands.ts'
import { randomPerson } from './names.ts'

export interface RandomCommandsOptions {
  readonly commands: number
  /** How many accounts are open at a time, once the bank has grown. */
  readonly accounts: number
  readonly seed: number
}

interface OpenedAccount {
  readonly accountNumber: string
  /** What it holds for sure: what comes by a transfer is not counted, since nobody knows when it comes. */
  balance: number
  /** It has been one side of a transfer, so that it may hold more than is known. */
  transferred: boolean
}

type BankCommand = ReturnType<
  typeof OpenAccount | typeof DepositMoney | typeof WithdrawMoney | typeof CloseAccount | typeof TransferMoney
>

/**
 * The days of a bank: it grows over the first half of the time, money comes and goes, accounts are closed and others
 * opened, money goes from one to another, and now and then somebody asks for what the bank has to refuse. The same options give
 * the same commands, and those have the same outcome whenever a transfer gets through.
 */
export function* randomCommands({ commands, accounts, seed }: RandomCommandsOptions): Generator<BankCommand, void> {
  const random = xoroshiro128plus(seed)
  const between = (least: number, most: number) => uniformInt(random, least, most)
  const oneOf = <Item>(items: readonly Item[]) => items[between(0, Math.max(0, items.length - 1))]

  const open: OpenedAccount[] = []
  const closed: string[] = []
  let opened = 0
  let transfers = 0

  const openNext = () => {
    const { country, name: owner } = randomPerson(random)
    // The running count makes the number unique.
    opened += 1
    const accountNumber = `${country}${between(10, 99)}-${String(opened).padStart(7, '0')}`
    const initialBalance = between(1, 10) === 1 ? 0 : between(1, 2_000) * 100
    open.push({ accountNumber, balance: initialBalance, transferred: false })
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

  const transfer = (account: OpenedAccount) => {
    transfers += 1
    const transferId = `T${String(transfers).padStart(7, '0')}`
    const from = account.accountNumber
    account.transferred = true
    const dice = between(1, 10)
    // To an account that is closed, it comes back.
    const gone = dice === 1 ? oneOf(closed) : undefined
    const other = oneOf(open.filter((one) => one !== account))
    const to = gone ?? other?.accountNumber
    if (to === undefined) return deposit(account)
    if (gone === undefined && other !== undefined) other.transferred = true
    if (dice === 2) return TransferMoney({ transferId, from, to, amount: 1_000_000_000_000 })
    const amount = between(1, Math.min(account.balance, 60_000))
    account.balance -= amount
    return TransferMoney({ transferId, from, to, amount })
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
    if (account.transferred) {
      if (account.balance === 0 || dice > 60) return deposit(account)
      return dice <= 10 ? transfer(account) : withdraw(account, between(1, Math.min(account.balance, 60_000)))
    }
    if (dice <= 8) return refused(account)
    if (account.balance === 0) return dice <= 75 ? deposit(account) : close(account)
    if (dice <= 11) return withdraw(account, account.balance)
    if (dice <= 13) return transfer(account)
    return dice <= 55 ? withdraw(account, between(1, Math.min(account.balance, 60_000))) : deposit(account)
  }

  for (let index = 0; index < commands; index++) yield anything()
}
