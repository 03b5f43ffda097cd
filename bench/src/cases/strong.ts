import { figure, ratio, type Case, type Figures } from '../case.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import { AccountOpened, MoneyDeposited } from '../domain/edict-account.ts'
import { eventHandler } from '../edict.ts'
import type { Effort } from '../effort.ts'
import { median, quantile, sum } from '../median.ts'
import { repeated, timed } from '../passes.ts'
import { verify, verifyAccounts } from '../verify.ts'
import { accountNumbers, amountOf, balanceAfter, depositInTurn, openAll } from './deposits.ts'

const EVENTUAL = 'eventual'
const STRONG = 'strong'
const ACCOUNTS = 1_000

/** A strongly consistent handler that keeps the balances, as a read model does. */
function balancesHandler() {
  const balances = new Map<string, number>()
  let handled = 0
  const handler = eventHandler('account-balances', {
    events: [AccountOpened, MoneyDeposited],
    consistency: 'strong',
    handle: {
      AccountOpened: ({ accountNumber, initialBalance }) => {
        handled++
        balances.set(accountNumber, initialBalance)
      },
      MoneyDeposited: ({ accountNumber, amount }) => {
        handled++
        balances.set(accountNumber, (balances.get(accountNumber) ?? 0) + amount)
      },
    },
  })
  return { handler, balances, handled: () => handled }
}

/** How long each of the deposits takes by itself, in milliseconds of the wall clock. */
async function latencies(bank: EdictBank, accounts: readonly string[], turn: number): Promise<Float64Array> {
  const times = new Float64Array(accounts.length)
  const amount = amountOf(turn)
  for (let index = 0; index < accounts.length; index++) {
    const begun = performance.now()
    await bank.deposit(accounts[index]!, amount)
    times[index] = performance.now() - begun
  }
  return times
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
}

const measure =
  (consistency: 'eventual' | 'strong') =>
  async (effort: Effort): Promise<Figures> => {
    const accounts = accountNumbers(ACCOUNTS)
    const turns = effort.short ? 10 : 25
    const observed = effort.short ? 5 : 10
    const deposits = turns + observed
    const commands = ACCOUNTS * (deposits + 1)
    const passes = await repeated(effort, async () => {
      const { handler, balances, handled } = balancesHandler()
      const bank = await EdictBank.open({ handlers: [handler], consistency })
      await openAll(bank, accounts)
      const elapsed = await timed(() => depositInTurn(bank, accounts, turns))
      const observations: Float64Array[] = []
      for (let turn = turns; turn < deposits; turn++) observations.push(await latencies(bank, accounts, turn))
      // Strong: the last dispatch came back, so everything is handled by now.
      if (consistency === 'eventual') await until(() => handled() === commands)
      verify('the number of handled events', handled(), commands)
      for (const balance of balances.values()) verify('a balance of the read model', balance, balanceAfter(deposits))
      await verifyAccounts(bank, accounts, { balance: balanceAfter(deposits), version: deposits + 1 })
      await bank.close()
      const all = Float64Array.from(observations.flatMap((times) => [...times]))
      return { elapsed, p50: quantile(all, 0.5), p99: quantile(all, 0.99) }
    })
    return {
      perSecond: (passes.length * ACCOUNTS * turns) / (sum(passes.map(({ elapsed }) => elapsed)) / 1_000),
      p50: median(passes.map(({ p50 }) => p50)),
      p99: median(passes.map(({ p99 }) => p99)),
    }
  }

export const strongCase: Case = {
  name: 'strong',
  title: 'strong consistency with one strong handler',
  notes: [
    'The same application twice, with the same strong handler: dispatching eventually, and dispatching strongly.',
  ],
  contenders: { [EVENTUAL]: measure('eventual'), [STRONG]: measure('strong') },
  rows: [
    figure(EVENTUAL, 'perSecond', 'per second'),
    figure(STRONG, 'perSecond', 'per second'),
    ratio(STRONG, EVENTUAL, 'perSecond', { atLeast: 0.5 }),
    { label: 'eventual, p50', unit: 'milliseconds', value: (read) => read(EVENTUAL, 'p50') },
    { label: 'eventual, p99', unit: 'milliseconds', value: (read) => read(EVENTUAL, 'p99') },
    { label: 'strong, p50', unit: 'milliseconds', value: (read) => read(STRONG, 'p50') },
    { label: 'strong, p99', unit: 'milliseconds', value: (read) => read(STRONG, 'p99'), target: { atMost: 0.2 } },
  ],
}
