import type { HandlerModel } from './handler-model.ts'
import { HandlerRunner, type HandlerRunnerOptions } from './handler-runner.ts'
import { PartitionedRunner } from './partitioned-runner.ts'

export type EventHandlerRunner = HandlerRunner | PartitionedRunner

/** The runner that a handler needs, for one partition or for several. */
export function makeRunner(model: HandlerModel, options: HandlerRunnerOptions): EventHandlerRunner {
  return model.concurrency === 1 ? new HandlerRunner(model, options) : new PartitionedRunner(model, options)
}
