import { figure, ratio, type Case, type Figures } from '../case.ts'
import { EdictBank, type Apply } from '../contenders/edict-bank.ts'
import { AccountOpened, DraftAccount, MoneyDeposited, PureAccount } from '../domain/edict-account.ts'
import { inMemoryEventStore } from '../edict.ts'
import type { Effort } from '../effort.ts'
import { sum } from '../median.ts'
import { repeated } from '../passes.ts'
import { processorTime } from '../processor-time.ts'
import { verify } from '../verify.ts'
import { amountOf, balanceAfter } from './deposits.ts'

const LOAD_PURE = 'edict, pure apply'
const LOAD_DRAFT = 'edict, draft table'
const EMMETT = 'emmett, the same pure function'
const FOLD_PURE = 'Aggregate.fold, pure apply'
const FOLD_DRAFT = 'Aggregate.fold, draft table'
const ACCOUNT = 'ACC-000001'
const EVENTS = 10_000
const DEPOSITS = EVENTS - 1
const BALANCE = balanceAfter(DEPOSITS)

const perSecond = (times: readonly number[]): Figures => ({ perSecond: (times.length * EVENTS) / (sum(times) / 1_000) })

async function timedFold(fold: () => Promise<{ readonly balance: number }>): Promise<number> {
  const begun = processorTime()
  const { balance } = await fold()
  const elapsed = processorTime() - begun
  verify('the balance', balance, BALANCE)
  return elapsed
}

/** From the stream as it is stored to the state: an application that has just started has nothing in its cache. */
const load =
  (apply: Apply) =>
  async (effort: Effort): Promise<Figures> => {
    const eventStore = inMemoryEventStore()
    const writer = await EdictBank.open({ apply, eventStore })
    await writer.open(ACCOUNT)
    for (let turn = 0; turn < DEPOSITS; turn++) await writer.deposit(ACCOUNT, amountOf(turn))
    await writer.close()
    const times = await repeated(effort, async () => {
      const reader = await EdictBank.open({ apply, eventStore })
      const elapsed = await timedFold(() => reader.state(ACCOUNT))
      await reader.close()
      return elapsed
    })
    return perSecond(times)
  }

async function emmett(effort: Effort): Promise<Figures> {
  const { EmmettBank } = await import('../contenders/emmett-bank.ts')
  const bank = await EmmettBank.open()
  await bank.open(ACCOUNT)
  await bank.fill(
    ACCOUNT,
    Array.from({ length: DEPOSITS }, (_, turn) => amountOf(turn)),
  )
  return perSecond(await repeated(effort, () => timedFold(() => bank.account(ACCOUNT))))
}

/** The pure function alone: events that are in memory, no store. */
const foldAlone =
  (aggregate: typeof PureAccount | typeof DraftAccount) =>
  async (effort: Effort): Promise<Figures> => {
    const events = [
      AccountOpened({ accountNumber: ACCOUNT, initialBalance: 0 }),
      ...Array.from({ length: DEPOSITS }, (_, turn) =>
        MoneyDeposited({ accountNumber: ACCOUNT, amount: amountOf(turn) }),
      ),
    ]
    return perSecond(await repeated(effort, () => timedFold(async () => aggregate.fold(undefined, events))))
  }

export const foldCase: Case = {
  name: 'fold',
  title: 'folding a stored stream of 10,000 events',
  notes: [
    'Edict: application.aggregateState of an application that has just started, on a store that holds the stream.',
    'Emmett: eventStore.aggregateStream. Aggregate.fold is the pure function on events in memory, for comparison.',
  ],
  shortRounds: 1,
  contenders: {
    [LOAD_PURE]: load('pure'),
    [LOAD_DRAFT]: load('draft'),
    [EMMETT]: emmett,
    [FOLD_PURE]: foldAlone(PureAccount),
    [FOLD_DRAFT]: foldAlone(DraftAccount),
  },
  rows: [
    figure(LOAD_PURE, 'perSecond', 'per second'),
    figure(LOAD_DRAFT, 'perSecond', 'per second', { atLeast: 250_000 }),
    figure(EMMETT, 'perSecond', 'per second'),
    figure(FOLD_PURE, 'perSecond', 'per second'),
    figure(FOLD_DRAFT, 'perSecond', 'per second'),
    { ...ratio(LOAD_PURE, EMMETT, 'perSecond', { atLeast: 1 }), label: 'edict, pure apply ÷ emmett' },
  ],
}
