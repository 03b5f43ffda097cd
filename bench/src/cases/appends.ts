import type { Figures, Measure, Row } from '../case.ts'
import { freshStore, type StoreKind } from '../contenders/durable-store.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import type { Effort } from '../effort.ts'
import { inFlight } from '../in-flight.ts'
import { median, quantile, sum } from '../median.ts'
import { collect } from '../passes.ts'
import { Witness } from '../witness.ts'
import { accountNumbers, amountOf } from './deposits.ts'

export const ACCOUNTS = accountNumbers(1_000)

/** A pass of so many commands: how long it took, and how long each of them. Milliseconds of the wall's clock. */
export type Pass = (commands: number) => Promise<{ readonly elapsed: number; readonly times: Float64Array }>

export interface PassFigures extends Figures {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** Passes until the wall's clock says that it is enough; the figures are over all that were measured. */
export async function passesByWall(effort: Effort, perPass: number, pass: Pass): Promise<PassFigures> {
  await until(effort.warmUp, 1, () => pass(perPass))
  collect()
  const passes: Awaited<ReturnType<Pass>>[] = []
  await until(effort.measured, effort.passes, async () => {
    passes.push(await pass(perPass))
  })
  return {
    perSecond: (passes.length * perPass) / (sum(passes.map(({ elapsed }) => elapsed)) / 1_000),
    p50: median(passes.map(({ times }) => quantile(times, 0.5))),
    p99: median(passes.map(({ times }) => quantile(times, 0.99))),
  }
}

async function until(milliseconds: number, least: number, pass: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + milliseconds
  for (let passes = 0; passes < least || performance.now() < end; passes++) await pass()
}

/** As `inFlight`, with the time that all of it took. */
export async function timedInFlight<Answer>(
  ...given: Parameters<typeof inFlight<Answer>>
): Promise<{ readonly elapsed: number; readonly times: Float64Array }> {
  const begun = performance.now()
  const times = await inFlight(...given)
  return { elapsed: performance.now() - begun, times }
}

/** Dispatches of an application with all defaults on, so many in flight, over accounts that are live. */
export const edictInFlight =
  (kind: StoreKind, width: number): Measure =>
  async (effort) => {
    const store = await freshStore(kind)
    const witness = new Witness(store.witness)
    const bank = await EdictBank.open({ eventStore: store.eventStore })
    let stored = ACCOUNTS.length
    let turn = 0
    try {
      await inFlight(256, ACCOUNTS.length, (index) => bank.open(ACCOUNTS[index]!))
      const figures = await passesByWall(effort, commandsPerPass(effort, width), (commands) => {
        stored += commands
        return timedInFlight(
          width,
          commands,
          () => bank.deposit(ACCOUNTS[turn % ACCOUNTS.length]!, amountOf(turn++)),
          ({ streamId, aggregateVersion }) => witness.saw(streamId, aggregateVersion),
        )
      })
      await bank.close()
      await witness.sees(stored)
      return figures
    } finally {
      await store.remove()
    }
  }

/** A pass is long enough to be timed, and short enough for the number of passes. */
export const commandsPerPass = (effort: Effort, width: number): number =>
  (width === 1 ? 1_000 : 4_000) / (effort.short ? 2 : 1)

/** How long a command took from its dispatch to its answer. */
export const latencyRows = (contender: string): Row[] =>
  ['p50', 'p99'].map((name) => ({
    label: `${contender}, ${name}`,
    unit: 'milliseconds',
    value: (read) => read(contender, name),
  }))
