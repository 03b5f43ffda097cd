import type { StartFrom } from '../event-store/start-from.ts'
import { sharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import type { HandlerControl, HandlerStatus, ParkedEvent, ParkedSelection, ReplayOutcome } from './handler-control.ts'
import type { HandlerModel } from './handler-model.ts'
import { HandlerReset } from './handler-reset.ts'
import type { HandlerRunnerOptions } from './handler-runner.ts'
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
  /** Starts, stops and resets come one after another. */
  #changing: Promise<unknown> = Promise.resolve()

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

  async start(): Promise<void> {
    await this.#inTurn(async () => this.#runner.start())
  }

  stop(): Promise<void> {
    // At once, since whatever is before it may be what hangs.
    const stopped = this.#runner.stop()
    return this.#inTurn(() => stopped)
  }

  reset(options?: { readonly startFrom?: StartFrom }): Promise<void> {
    return this.#inTurn(async () => {
      const { shared = sharedCheckpoints(this.#options) } = this.#options
      const wasStopped = this.#runner.state === 'stopped'
      const reset = new HandlerReset({ ...this.#options, shared, model: this.#model, stream: this.#parking.stream })
      await this.#runner.stop()
      try {
        await reset.run(options)
      } finally {
        if (!wasStopped) await this.#runner.start()
      }
    })
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
