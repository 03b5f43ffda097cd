import type { Case, Figures } from '../case.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import type { Effort } from '../effort.ts'
import { liveBytes } from '../heap.ts'
import { verifyAccounts } from '../verify.ts'
import { accountNumbers, amountOf, balanceAfter, depositInTurn, openAll } from './deposits.ts'

const EDICT = 'edict'
const ACCOUNTS = 1_000

/** Every command brings an account number of its own, as one that came over the wire does. */
async function bytesOfAStoredEvent(effort: Effort): Promise<Figures> {
  const turns = effort.short ? 40 : 200
  const bank = await EdictBank.open()
  await openAll(bank, accountNumbers(ACCOUNTS))
  await depositInTurn(bank, accountNumbers(ACCOUNTS), 1)
  const before = await liveBytes()
  for (let turn = 1; turn < turns; turn++) {
    for (const account of accountNumbers(ACCOUNTS)) await bank.deposit(account, amountOf(turn))
  }
  const after = await liveBytes()
  await verifyAccounts(bank, accountNumbers(ACCOUNTS), { balance: balanceAfter(turns), version: turns + 1 })
  await bank.close()
  return { bytes: (after - before) / (ACCOUNTS * (turns - 1)) }
}

export const eventHeapCase: Case = {
  name: 'event-heap',
  title: 'heap of stored events, in memory',
  notes: ['With { accountNumber, amount } as data, and its ids.'],
  rounds: 3,
  contenders: { [EDICT]: bytesOfAStoredEvent },
  rows: [
    {
      label: 'each stored event',
      unit: 'bytes',
      value: (read) => read(EDICT, 'bytes'),
      target: { atMost: 400 },
    },
  ],
}
