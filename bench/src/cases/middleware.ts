import { figure, type Case, type Figures } from '../case.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import type { Middleware } from '../edict.ts'
import type { Effort } from '../effort.ts'
import { verify } from '../verify.ts'
import { depositsPerSecond } from './deposits.ts'

const NONE = 'no middleware'
const THREE = 'three hook middlewares'
const ACCOUNTS = 1_000

const turnsOf = (effort: Effort): number => (effort.short ? 20 : 50)

/** Counts in both hooks: as little as a middleware can do, so that what shows is the cost of having it. */
class Counter {
  before = 0
  after = 0
  readonly middleware: Middleware = {
    beforeDispatch: () => {
      this.before++
    },
    afterDispatch: () => {
      this.after++
    },
  }
}

const without = (effort: Effort): Promise<Figures> =>
  depositsPerSecond(effort, () => EdictBank.open(), ACCOUNTS, turnsOf(effort))

async function withThree(effort: Effort): Promise<Figures> {
  const counters = [new Counter(), new Counter(), new Counter()]
  let passes = 0
  const open = (): Promise<EdictBank> => {
    passes++
    return EdictBank.open({ middleware: counters.map(({ middleware }) => middleware) })
  }
  const figures = await depositsPerSecond(effort, open, ACCOUNTS, turnsOf(effort))
  const commands = passes * ACCOUNTS * (turnsOf(effort) + 1)
  for (const { before, after } of counters) {
    verify('the number of calls before', before, commands)
    verify('the number of calls after', after, commands)
  }
  return figures
}

export const middlewareCase: Case = {
  name: 'middleware',
  title: 'three hook middlewares',
  notes: ['Each counts in beforeDispatch and in afterDispatch. Time for a command, divided.'],
  contenders: { [NONE]: without, [THREE]: withThree },
  rows: [
    figure(NONE, 'perSecond', 'per second'),
    figure(THREE, 'perSecond', 'per second'),
    {
      label: 'time with three ÷ time with none',
      unit: 'ratio',
      value: (read) => read(THREE, 'microseconds') / read(NONE, 'microseconds'),
      target: { atMost: 1.1 },
    },
  ],
}
