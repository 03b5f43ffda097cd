import { figure, ratio, type Case, type Figures } from '../case.ts'
import type { Bank } from '../contenders/bank.ts'
import type { Effort } from '../effort.ts'
import { sum } from '../median.ts'
import { repeated } from '../passes.ts'
import { processorTime } from '../processor-time.ts'
import { verify } from '../verify.ts'
import { amountOf, balanceAfter } from './deposits.ts'

const EDICT = 'edict, pure apply'
const EMMETT = 'emmett, last thousand'
const ACCOUNT = 'ACC-000001'
const EVENTS = 10_000
const THOUSAND = 1_000

/** The milliseconds that the deposits from one turn to another take of a processor. */
async function deposit(bank: Bank, from: number, to: number): Promise<number> {
  const begun = processorTime()
  for (let turn = from; turn < to; turn++) await bank.deposit(ACCOUNT, amountOf(turn))
  return processorTime() - begun
}

async function verifyAccount(bank: Bank, deposits: number): Promise<void> {
  const { balance, version } = await bank.account(ACCOUNT)
  verify('the balance', balance, balanceAfter(deposits))
  verify('the version', version, deposits + 1)
}

const rate = (times: readonly number[], commands: number): number => (times.length * commands) / (sum(times) / 1_000)

async function edict(effort: Effort): Promise<Figures> {
  const { EdictBank } = await import('../contenders/edict-bank.ts')
  const deposits = EVENTS - 1
  const passes = await repeated(effort, async () => {
    const bank = await EdictBank.open()
    await bank.open(ACCOUNT)
    const first = await deposit(bank, 0, THOUSAND)
    const between = await deposit(bank, THOUSAND, deposits - THOUSAND)
    const last = await deposit(bank, deposits - THOUSAND, deposits)
    await verifyAccount(bank, deposits)
    await bank.close()
    return { first, last, all: first + between + last }
  })
  const first = rate(
    passes.map((pass) => pass.first),
    THOUSAND,
  )
  const last = rate(
    passes.map((pass) => pass.last),
    THOUSAND,
  )
  return {
    first,
    last,
    all: rate(
      passes.map((pass) => pass.all),
      deposits,
    ),
  }
}

/** Its stream is filled in one append, as a pass of 10,000 commands would take long; the last thousand are commands. */
async function emmett(effort: Effort): Promise<Figures> {
  const { EmmettBank } = await import('../contenders/emmett-bank.ts')
  const deposits = EVENTS - 1
  const measured = effort.short ? 100 : THOUSAND
  const filled = Array.from({ length: deposits - measured }, (_, turn) => amountOf(turn))
  const passes = await repeated({ ...effort, warmUp: 0, passes: 1 }, async () => {
    const bank = await EmmettBank.open()
    await bank.open(ACCOUNT)
    await bank.fill(ACCOUNT, filled)
    const last = await deposit(bank, deposits - measured, deposits)
    await verifyAccount(bank, deposits)
    return last
  })
  return { last: rate(passes, measured) }
}

export const growthCase: Case = {
  name: 'growth',
  title: 'one aggregate whose stream grows to 10,000 events',
  contenders: { [EDICT]: edict, [EMMETT]: emmett },
  rows: [
    figure(EDICT, 'all', 'per second'),
    { label: 'edict, first thousand', unit: 'per second', value: (read) => read(EDICT, 'first') },
    { label: 'edict, last thousand', unit: 'per second', value: (read) => read(EDICT, 'last') },
    figure(EMMETT, 'last', 'per second'),
    {
      label: 'edict, last thousand ÷ first thousand',
      unit: 'ratio',
      value: (read) => read(EDICT, 'last') / read(EDICT, 'first'),
      target: { atLeast: 0.9 },
    },
    { ...ratio(EDICT, EMMETT, 'last', { atLeast: 10 }), label: 'edict ÷ emmett, last thousand' },
  ],
}
