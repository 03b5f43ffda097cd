import { aggregate, command, event, router, shape } from 'edict'

// The domain of the fault specs: what a command does can be told from its id alone, so that a repeat is the same command, and what
// must be stored is known without asking whoever sent it.

export const Count = command('Count', shape<{ id: string; by: number; times: number }>())
export const Counted = event('Counted', shape<{ by: number; step: number }>())

export const Tally = aggregate('Tally', {
  commands: [Count],
  events: [Counted],
  initialState: () => ({ counted: 0, total: 0 }),
  execute: {
    Count: (_tally, { by, times }) => Array.from({ length: times }, (_, index) => Counted({ by, step: index + 1 })),
  },
  apply: {
    Counted: (tally, { by }) => {
      tally.counted++
      tally.total += by
    },
  },
})

export const STREAM_PREFIX = 'tally-'

export const tallyRouter = router('tallies', (tallies) =>
  tallies.identify(Tally, { by: 'id', prefix: STREAM_PREFIX }).dispatch([Count], { to: Tally }),
)

/** So many aggregates are shared by all writers. */
const TALLIES = 7

export interface CountCommand {
  readonly commandId: string
  readonly id: string
  readonly by: number
  readonly times: number
}

/** The command of an id such as `writer-1.lane.17`. */
export function countCommand(commandId: string): CountCommand {
  const [writer = '', lane = '', count = ''] = commandId.split('.')
  const number = Number(count)
  const id = `${(number * 5 + Number(lane) + writer.length) % TALLIES}`
  return { commandId, id, by: (number % 9) + 1, times: (number % 3) + 1 }
}
