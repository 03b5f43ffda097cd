import { sharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import { ControlledHandler } from './controlled-handler.ts'
import type { HandlerControl } from './handler-control.ts'
import type { HandlerModel } from './handler-model.ts'
import { HandlerReset } from './handler-reset.ts'
import type { RunnerOptions } from './runner-options.ts'
import { makeRunner } from './make-runner.ts'
import { StoredParkingLot } from './parking.ts'

/** An event handler in a running application, which can be reset too. */
export function runningEventHandler(model: HandlerModel, options: RunnerOptions): HandlerControl {
  const { store, clock } = options
  const parking = options.parking ?? new StoredParkingLot(model.name, store, () => clock.now())
  const shared = options.shared ?? sharedCheckpoints(options)
  return new ControlledHandler({
    ...options,
    parking,
    runner: makeRunner(model, { ...options, shared, parking }),
    reset: (given) => new HandlerReset({ ...options, shared, model, stream: parking.stream }).run(given),
  })
}
