import { waitAtMost } from '../effects/wait-at-most.ts'
import type { StartFrom } from '../event-store/start-from.ts'
import { sharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import type { HandlerControl, HandlerStatus, ParkedEvent, ParkedSelection, ReplayOutcome } from './handler-control.ts'
import type { HandlerModel } from './handler-model.ts'
import { HandlerReset } from './handler-reset.ts'
import { STOP_TIMEOUT_MS, type HandlerRunnerOptions } from './handler-runner.ts'
import { makeRunner, type EventHandlerRunner } from './make-runner.ts'
import { ParkedControl } from './parked-control.ts'
import { StoredParkingLot } from './parking.ts'

/** An event handler in a running application: what runs it, and the hands of code on it. */
export class RunningEventHandler implements HandlerControl {
  readonly name: string
  readonly #model: HandlerModel
  readonly #options: HandlerRunnerOptions
  readonly #parking: StoredParkingLot
  readonly #parked: ParkedControl
  readonly #runner: EventHandlerRunner
  /** Starts and resets come one after another. */
  #changing: Promise<unknown> = Promise.resolve()
  #resetting: Promise<unknown> | undefined
  /** Whether it is to run once what is under way is done. */
  #isWanted = false

  constructor(model: HandlerModel, options: HandlerRunnerOptions) {
    const { store, clock } = options
    this.name = model.name
    this.#model = model
    this.#parking = options.parking ?? new StoredParkingLot(model.name, store, () => clock.now())
    this.#options = { ...options, shared: options.shared ?? sharedCheckpoints(options), parking: this.#parking }
    this.#parked = new ParkedControl(this.#parking.stream, options)
    this.#runner = makeRunner(model, this.#options)
  }

  async status(): Promise<HandlerStatus> {
    const { name, state, position, lag, lastError, failures } = this.#runner
    const partitions = 'partitions' in this.#runner ? this.#runner.partitions : undefined
    return { name, state, position, lag, lastError, failures, partitions, parked: await this.#parked.count() }
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

  reset(options?: { readonly startFrom?: StartFrom }): Promise<void> {
    return this.#inTurn(() => {
      const resetting = this.#reset(options).finally(() => {
        this.#resetting = undefined
      })
      this.#resetting = resetting.catch(() => undefined)
      return resetting
    })
  }

  async #reset(options?: { readonly startFrom?: StartFrom }): Promise<void> {
    const { shared = sharedCheckpoints(this.#options) } = this.#options
    const reset = new HandlerReset({ ...this.#options, shared, model: this.#model, stream: this.#parking.stream })
    await this.#runner.stop()
    try {
      await reset.run(options)
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
