import type { HandlerModel } from './handler-model.ts'
import { HandlerRunner } from './handler-runner.ts'
import type { RunnerOptions } from './runner-options.ts'
import { PartitionedRunner } from './partitioned-runner.ts'

export type EventHandlerRunner = HandlerRunner | PartitionedRunner

/** The runner that a handler needs, for one partition or for several. */
export function makeRunner(model: HandlerModel, options: RunnerOptions): EventHandlerRunner {
  return model.concurrency === 1 ? new HandlerRunner(model, options) : new PartitionedRunner(model, options)
}
