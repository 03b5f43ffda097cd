import type { Application, Router } from 'edict'
import { EdictError } from '../../lib/errors.ts'
import { readLines, type LedgerLine } from './ledger.ts'
import type { WriterConfiguration } from './node-configuration.ts'
import { pause } from './random.ts'
import { Count, countCommand, type tallyRouter } from './tally.ts'

type RoutesOf<Routing> = Routing extends Router<infer Routes> ? Routes : never

/** Milliseconds between the commands of a lane: the most at first, and once it has sent what it was told to. */
const PAUSE = 6
const LONG_PAUSE = 40

/**
 * Sends commands, several at a time. One that failed without a word of what became of it is sent again under the same id, also by the
 * next life of a writer that was killed; one that certainly was not executed never is.
 */
export class Writer {
  readonly #app: Application<RoutesOf<typeof tallyRouter>>
  readonly #configuration: WriterConfiguration
  readonly #note: (line: LedgerLine) => void
  readonly #lanes: Promise<void>[]
  #sent = 0
  #quiet = false

  constructor(
    app: Application<RoutesOf<typeof tallyRouter>>,
    configuration: WriterConfiguration,
    note: (line: LedgerLine) => void,
  ) {
    this.#app = app
    this.#configuration = configuration
    this.#note = note
    const next = nextOfLanes(configuration)
    this.#lanes = next.map((number, lane) => this.#runLane(lane, number))
  }

  /** When all that was sent is answered. */
  async quiet(): Promise<void> {
    this.#quiet = true
    await Promise.all(this.#lanes)
  }

  async #runLane(lane: number, first: number): Promise<void> {
    const { name, commands, earlier } = this.#configuration
    for (let number = first; !this.#quiet; number++) {
      // The life before may have sent the first one, and have been killed before it had an answer.
      await this.#send(`${name}.${lane}.${number}`, number === first && earlier.length > 0)
      await pause(++this.#sent < commands ? Math.random() * PAUSE : LONG_PAUSE)
    }
  }

  async #send(commandId: string, wasSent: boolean): Promise<void> {
    let doubtful = wasSent
    const { id, by, times } = countCommand(commandId)
    for (;;) {
      try {
        const { events } = await this.#app.dispatch(Count({ id, by, times }), { commandId, retryAttempts: 1_000 })
        const versions = events.map(({ streamVersion }) => streamVersion)
        this.#note({ kind: 'acknowledged', commandId, versions, positions: events.map(({ position }) => position) })
        return
      } catch (thrown) {
        // That this attempt did nothing says nothing of one before it.
        if (!(thrown instanceof EdictError && thrown.outcome === 'not-executed')) doubtful = true
        this.#note({
          kind: 'refused',
          commandId,
          outcome: doubtful ? 'unknown' : 'not-executed',
          error: String(thrown),
        })
        await pause(20)
        if (!doubtful) return
      }
    }
  }
}

/** The number of the next command of each lane. */
function nextOfLanes({ lanes, earlier }: WriterConfiguration): number[] {
  const next = Array.from({ length: lanes }, () => 1)
  for (const line of earlier.flatMap((path) => readLines<LedgerLine>(path))) {
    if (line.kind !== 'acknowledged' && !(line.kind === 'refused' && line.outcome === 'not-executed')) continue
    const [, lane = '', number = ''] = line.commandId.split('.')
    next[Number(lane)] = Math.max(next[Number(lane)] ?? 1, Number(number) + 1)
  }
  return next
}
