import { figure, type Case, type Figures } from '../case.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import type { Effort } from '../effort.ts'
import { verify } from '../verify.ts'
import { depositsPerSecond } from './deposits.ts'

const NOBODY = 'nobody listens'
const AGAIN = 'nobody listens any more'
const LISTENER = 'a listener of dispatch:stop'
const ACCOUNTS = 1_000

const turnsOf = (effort: Effort): number => (effort.short ? 20 : 50)

const unheard = (effort: Effort): Promise<Figures> =>
  depositsPerSecond(effort, () => EdictBank.open(), ACCOUNTS, turnsOf(effort))

/** Whoever unsubscribes leaves nothing behind. */
const noMore = (effort: Effort): Promise<Figures> =>
  depositsPerSecond(
    effort,
    async () => {
      const bank = await EdictBank.open()
      bank.application.on('dispatch:stop', () => undefined)()
      return bank
    },
    ACCOUNTS,
    turnsOf(effort),
  )

async function heard(effort: Effort): Promise<Figures> {
  let told = 0
  let passes = 0
  const open = async (): Promise<EdictBank> => {
    passes++
    const bank = await EdictBank.open()
    bank.application.on('dispatch:stop', () => {
      told++
    })
    return bank
  }
  const figures = await depositsPerSecond(effort, open, ACCOUNTS, turnsOf(effort))
  verify('the number of events told', told, passes * ACCOUNTS * (turnsOf(effort) + 1))
  return figures
}

export const telemetryCase: Case = {
  name: 'telemetry',
  title: 'telemetry',
  notes: ['Deposits in memory. Time for a command, divided by that of one while nobody listens.'],
  shortRounds: 1,
  contenders: { [NOBODY]: unheard, [AGAIN]: noMore, [LISTENER]: heard },
  rows: [
    figure(NOBODY, 'perSecond', 'per second'),
    figure(AGAIN, 'perSecond', 'per second'),
    figure(LISTENER, 'perSecond', 'per second'),
    {
      label: 'time when nobody listens any more ÷ when nobody did',
      unit: 'ratio',
      value: (read) => read(AGAIN, 'microseconds') / read(NOBODY, 'microseconds'),
      target: { atMost: 1.05 },
    },
    {
      label: 'time with a listener ÷ with none',
      unit: 'ratio',
      value: (read) => read(LISTENER, 'microseconds') / read(NOBODY, 'microseconds'),
    },
  ],
}
