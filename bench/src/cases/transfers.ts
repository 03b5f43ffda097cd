import { figure, ratio, type Case, type Figures } from '../case.ts'
import { Account, Completed, Request, transferManager, transferRouter } from '../domain/edict-transfer.ts'
import { application, eventHandler, inMemoryEventStore } from '../edict.ts'
import type { Effort } from '../effort.ts'
import { inFlight } from '../in-flight.ts'
import { sum } from '../median.ts'
import { repeated, timed } from '../passes.ts'
import { verify } from '../verify.ts'

const ACCOUNTS = 64
const FEW = 10
const MANY = 100_000

async function bankOfTransfers(ends: boolean) {
  // In order: a transfer may be asked for again before all of those in flight are complete.
  const waiting = new Map<string, (() => void)[]>()
  const completions = eventHandler('completions', {
    events: [Completed],
    handle: ({ id }) => {
      const [first, ...others] = waiting.get(id) ?? []
      if (others.length === 0) waiting.delete(id)
      else waiting.set(id, others)
      first?.()
    },
  })
  const app = application({
    name: 'transfers',
    router: transferRouter,
    eventStore: inMemoryEventStore(),
    handlers: [transferManager(ends), completions],
    // Aggregates are not what is measured.
    cache: { aggregates: 2 * MANY },
  })
  await app.start()
  const account = (index: number) => `ACC-${index % ACCOUNTS}`
  return {
    app,
    /** From the request until the transfer is complete. */
    transfer: async (id: string, index: number) => {
      const isComplete = new Promise<void>((resolve) => {
        waiting.set(id, [...(waiting.get(id) ?? []), resolve])
      })
      await app.dispatch(Request({ id, from: account(index), to: account(index + 1), amount: 1 }))
      await isComplete
    },
    close: async () => {
      let total = 0
      for (let index = 0; index < ACCOUNTS; index++) {
        const { balance } = await app.aggregateState(Account, account(index))
        total += balance
      }
      verify('all the money', total, 0)
      await app.stop()
    },
  }
}

const endToEnd =
  (width: number) =>
  async (effort: Effort): Promise<Figures> => {
    const transfers = effort.short ? 2_000 : 10_000
    const passes = await repeated(effort, async () => {
      const { transfer, close } = await bankOfTransfers(true)
      const elapsed = await timed(() => inFlight(width, transfers, (index) => transfer(`T${index}`, index)))
      await close()
      return elapsed
    })
    return { perSecond: (passes.length * transfers) / (sum(passes) / 1_000) }
  }

/** Transfers that are asked for once more, of instances of which there are so many. */
const withInstances =
  (instances: number) =>
  async (effort: Effort): Promise<Figures> => {
    const measured = effort.short ? 2_000 : 10_000
    const { transfer, close } = await bankOfTransfers(false)
    await inFlight(64, instances, (index) => transfer(`T${index}`, index))
    // As many warm the others up as the many have had.
    if (instances < measured) await inFlight(64, 4 * measured, (index) => transfer(`W${index}`, index))
    const stride = Math.max(1, Math.floor(instances / measured))
    const times = await timed(() =>
      inFlight(FEW, measured, (index) => transfer(`T${(index * stride) % instances}`, index)),
    )
    await close()
    return { perSecond: measured / (times / 1_000) }
  }

const ONE = 'one at a time'
const WIDE = '64 in flight'

export const transfersCase: Case = {
  name: 'transfers',
  title: 'money transfers by a process manager, from the request to the end',
  notes: ['Four commands, four events and four stored states each, in memory.'],
  shortRounds: 1,
  contenders: { [ONE]: endToEnd(1), [WIDE]: endToEnd(64) },
  rows: [figure(ONE, 'perSecond', 'per second'), figure(WIDE, 'perSecond', 'per second')],
}

const SMALL = `${FEW} instances`
const LARGE = `${MANY.toLocaleString('en')} instances`

export const liveProcessesCase: Case = {
  name: 'live-processes',
  fullOnly: true,
  title: 'transfers among instances of a process manager that stay',
  notes: ['Ten at a time. 10,000 instances are in memory at most; the states of the others are read again.'],
  contenders: { [SMALL]: withInstances(FEW), [LARGE]: withInstances(MANY) },
  rows: [
    figure(SMALL, 'perSecond', 'per second'),
    figure(LARGE, 'perSecond', 'per second'),
    ratio(LARGE, SMALL, 'perSecond', { atLeast: 0.5 }),
  ],
}
