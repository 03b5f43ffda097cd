import type { Case, Figures } from '../case.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import { inMemoryEventStore } from '../edict.ts'
import type { Effort } from '../effort.ts'
import { liveBytes } from '../heap.ts'
import { verify } from '../verify.ts'
import { accountNumbers } from './deposits.ts'

const EDICT = 'edict'

/**
 * One application writes the accounts and is gone. Another one, on the same store, makes them live by a command that leads to
 * no event: what the heap grows by is the live aggregates, and nothing else.
 */
async function bytesOfALiveAggregate(effort: Effort): Promise<Figures> {
  const count = effort.short ? 4_000 : 10_000
  const eventStore = inMemoryEventStore()
  const writer = await EdictBank.open({ eventStore })
  for (const account of accountNumbers(count)) await writer.open(account)
  await writer.close()
  const bank = await EdictBank.open({ eventStore })
  // What is made once, and not for each aggregate, is there before the first reading.
  for (const account of accountNumbers(100)) await bank.touch(account)
  const before = await liveBytes()
  for (const account of accountNumbers(count).slice(100)) {
    const { aggregateVersion } = await bank.touch(account)
    verify('the version', aggregateVersion, 1)
  }
  const after = await liveBytes()
  await bank.close()
  return { bytes: (after - before) / (count - 100) }
}

export const liveHeapCase: Case = {
  name: 'live-heap',
  title: 'heap of live aggregates',
  notes: ['With a state of two fields and its identity, without its events.'],
  rounds: 3,
  contenders: { [EDICT]: bytesOfALiveAggregate },
  rows: [
    {
      label: 'each live aggregate',
      unit: 'bytes',
      value: (read) => read(EDICT, 'bytes'),
      target: { atMost: 1_024 },
    },
  ],
}
