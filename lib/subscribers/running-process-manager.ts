import { ControlledHandler } from './controlled-handler.ts'
import type { HandlerControl } from './handler-control.ts'
import { DiscardedEvents } from './discarded-events.ts'
import { StoredParkingLot } from './parking.ts'
import type { ProcessRunnerOptions } from './process-manager-body.ts'
import type { ProcessManagerModel } from './process-manager-model.ts'
import { ProcessManagerRunner } from './process-runner.ts'

/** A process manager in a running application. It is not reset: whatever its commands did would stand. */
export function runningProcessManager(model: ProcessManagerModel, options: ProcessRunnerOptions): HandlerControl {
  const { store, clock } = options
  const { discarded = new DiscardedEvents() } = options
  const parking = options.parking ?? new StoredParkingLot(model.name, store, () => clock.now(), discarded)
  const runner = new ProcessManagerRunner(model, { ...options, discarded, parking })
  return new ControlledHandler({ ...options, parking, runner, reset: undefined })
}
