import type { Case, Measure } from '../case.ts'
import type { OpenBank } from '../contenders/bank.ts'
import { BareLoop } from '../contenders/bare-loop.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import { depositsPerSecond } from './deposits.ts'

const edict = (aggregates: string): string => `edict, ${aggregates}`
const bare = (aggregates: string): string => `bare loop, ${aggregates}`

/** As many commands whatever the number of aggregates. */
const at =
  (open: OpenBank, aggregates: number): Measure =>
  (effort) =>
    depositsPerSecond(effort, open, aggregates, (effort.short ? 40_000 : 100_000) / aggregates)

const contenders: Record<string, Measure> = {
  [edict('10')]: at(() => EdictBank.open(), 10),
  [edict('10,000')]: at(() => EdictBank.open(), 10_000),
  [edict('20,000')]: at(() => EdictBank.open(), 20_000),
  [bare('10')]: at(BareLoop.open, 10),
  [bare('10,000')]: at(BareLoop.open, 10_000),
}

const cost = (contender: string) => ({
  label: contender,
  unit: 'microseconds' as const,
  value: (read: (contender: string, figure: string) => number) => read(contender, 'microseconds'),
})

export const liveAggregatesCase: Case = {
  name: 'live-aggregates',
  title: 'dispatch cost by the number of live aggregates',
  notes: [
    "Pure apply, in turn. The bare loop shows what the processor's caches and the garbage collector make of more data.",
    "20,000 in turn are beyond the cache of 10,000: each command folds its aggregate's stream anew.",
  ],
  shortRounds: 1,
  contenders,
  rows: [
    cost(edict('10')),
    cost(edict('10,000')),
    cost(bare('10')),
    cost(bare('10,000')),
    {
      label: 'edict, cost at 10,000 ÷ at 10',
      unit: 'ratio',
      value: (read) => read(edict('10,000'), 'microseconds') / read(edict('10'), 'microseconds'),
      target: { atMost: 1.25 },
    },
    {
      label: 'bare loop, cost at 10,000 ÷ at 10',
      unit: 'ratio',
      value: (read) => read(bare('10,000'), 'microseconds') / read(bare('10'), 'microseconds'),
    },
    { ...cost(edict('20,000')), label: 'edict, 20,000 (beyond the cache)' },
  ],
}
