import { waitAtMost } from '../effects/wait-at-most.ts'
import { InvalidOptionError } from '../errors.ts'
import type { StartFrom } from '../event-store/start-from.ts'
import type {
  HandlerControl,
  HandlerState,
  HandlerStatus,
  ParkedEvent,
  ParkedSelection,
  ReplayOutcome,
} from './handler-control.ts'
import type { RunnerOptions } from './runner-options.ts'
import { STOP_TIMEOUT_MS } from './runner-times.ts'
import { ParkedControl } from './parked-control.ts'
import type { StoredParkingLot } from './parking.ts'

/** What runs a handler or a process manager. */
export interface ControlledRunner {
  readonly name: string
  readonly state: HandlerState
  readonly position: number
  readonly lag: number
  readonly lastError: unknown
  readonly failures: number
  readonly partitions?: readonly number[]
  readonly liveInstances?: number
  start(): unknown
  stop(): Promise<void>
}

export interface ControlledHandlerOptions extends Pick<RunnerOptions, 'store' | 'hub' | 'clock' | 'stopTimeout'> {
  readonly runner: ControlledRunner
  /** That of the runner. */
  readonly parking: StoredParkingLot
  /** Sets the handler's place back while the runner is stopped; undefined where a reset makes no sense. */
  readonly reset: ((options?: { readonly startFrom?: StartFrom }) => Promise<void>) | undefined
}

/** A handler or a process manager in a running application: what runs it, and the hands of code on it. */
export class ControlledHandler implements HandlerControl {
  readonly name: string
  readonly #options: ControlledHandlerOptions
  readonly #runner: ControlledRunner
  readonly #parked: ParkedControl
  /** Starts and resets come one after another. */
  #changing: Promise<unknown> = Promise.resolve()
  #resetting: Promise<unknown> | undefined
  /** Whether it is to run once what is under way is done. */
  #isWanted = false

  constructor(options: ControlledHandlerOptions) {
    this.name = options.runner.name
    this.#options = options
    this.#runner = options.runner
    this.#parked = new ParkedControl(options.parking.stream, options)
  }

  async status(): Promise<HandlerStatus> {
    const { name, state, position, lag, lastError, failures, partitions, liveInstances } = this.#runner
    const parked = await this.#parked.count()
    return { name, state, position, lag, lastError, failures, parked, partitions, liveInstances }
  }

  start(): Promise<void> {
    this.#isWanted = true
    return this.#inTurn(async () => {
      if (this.#isWanted) await this.#runner.start()
    })
  }

  /** At once, and not in turn, since whatever is before it may be what hangs. */
  async stop(): Promise<void> {
    this.#isWanted = false
    const stopped = this.#runner.stop()
    this.#changing = Promise.allSettled([stopped, this.#resetting])
    const { clock, stopTimeout = STOP_TIMEOUT_MS } = this.#options
    // A reset under way goes on without it, but needs the store.
    if (this.#resetting) await waitAtMost(clock, stopTimeout, this.#resetting)
    await stopped
  }

  async reset(options?: { readonly startFrom?: StartFrom }): Promise<void> {
    const { reset } = this.#options
    if (reset === undefined) {
      throw new InvalidOptionError(
        `reset: ${this.name} is a process manager: its instances keep which events they have handled, and what its commands did stands`,
      )
    }
    return this.#inTurn(() => {
      const resetting = this.#reset(() => reset(options)).finally(() => {
        this.#resetting = undefined
      })
      this.#resetting = resetting.catch(() => undefined)
      return resetting
    })
  }

  async #reset(reset: () => Promise<void>): Promise<void> {
    await this.#runner.stop()
    try {
      await reset()
    } finally {
      // One that had failed begins again, too; one that was stopped, before or meanwhile, does not.
      if (this.#isWanted) await this.#runner.start()
    }
  }

  parked(options?: { readonly limit?: number; readonly after?: number }): Promise<readonly ParkedEvent[]> {
    return this.#parked.list(options)
  }

  replay(selection?: ParkedSelection, options?: { readonly timeout?: number }): Promise<ReplayOutcome> {
    return this.#parked.replay(selection, options)
  }

  discard(selection: ParkedSelection): Promise<number> {
    return this.#parked.discard(selection)
  }

  #inTurn<Value>(change: () => Promise<Value>): Promise<Value> {
    const changed = this.#changing.then(change)
    this.#changing = changed.catch(() => undefined)
    return changed
  }
}
