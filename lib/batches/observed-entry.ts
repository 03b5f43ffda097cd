import type { MaybePromise } from '../effects/maybe-promise.ts'
import { ObservedDispatch } from '../dispatch/observed-dispatch.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { BatchEntry } from './batch-entry.ts'

/**
 * Takes a command through its middleware. Telemetry sees a dispatch of its own, which ends when it is known what became of the batch:
 * until then nothing is stored.
 */
export async function processEntry(
  { telemetry }: DispatchServices,
  entry: BatchEntry,
  work: () => MaybePromise<ExecutionResult>,
): Promise<ExecutionResult> {
  if (entry.settle !== undefined) return work()
  const settled = new Promise<ExecutionResult>((resolve, reject) => {
    entry.settle = { resolve, reject }
  })
  if (!telemetry.watched.dispatch) {
    settled.catch(() => undefined)
    return work()
  }
  let through: Promise<ExecutionResult> | undefined
  const start = (): Promise<ExecutionResult> => {
    through = Promise.resolve().then(work)
    through.catch(() => undefined)
    return settled
  }
  const observed = new ObservedDispatch(telemetry, entry, { start, startLater: start }).start()
  Promise.resolve(observed).catch(() => undefined)
  return through ?? work()
}
