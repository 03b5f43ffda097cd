import { isPromiseLike } from '../effects/maybe-promise.ts'
import { InvalidOutcomeError } from '../errors.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { Instrumentation } from './instrumentation.ts'
import type { StartedOperation } from './operations.ts'

type Outcome<Result> = { readonly result: Result } | { readonly error: unknown }

/**
 * Does some work within what an instrumentation sets up for it. Whatever that does, the work is done once, and what the work gave
 * is what counts: it may be stored by then. `failed` hears of what the instrumentation made wrong.
 */
export function instrumented<Result>(
  instrumentation: Instrumentation,
  operation: StartedOperation,
  work: (metadata?: Metadata) => Result,
  failed: (error: unknown) => void,
): Result {
  const done: { outcome: Outcome<Result> | undefined } = { outcome: undefined }
  const once = (metadata?: Metadata): Result => {
    const outcome = (done.outcome ??= outcomeOf(work, metadata))
    if ('error' in outcome) throw outcome.error
    return outcome.result
  }
  try {
    const given: unknown = instrumentation.around(operation, once)
    if (done.outcome === undefined) failed(new InvalidOutcomeError('the instrumentation did not call its work at once'))
    done.outcome ??= outcomeOf(work)
    lookAfter(given, done.outcome, failed)
  } catch (error) {
    if (done.outcome === undefined || !('error' in done.outcome) || done.outcome.error !== error) failed(error)
  }
  return once()
}

function outcomeOf<Result>(work: (metadata?: Metadata) => Result, metadata?: Metadata): Outcome<Result> {
  try {
    return { result: work(metadata) }
  } catch (error) {
    return { error }
  }
}

/** Nobody waits for a promise of the instrumentation's own. It may well end with the failure of the work, which is told anyway. */
function lookAfter(given: unknown, outcome: Outcome<unknown>, failed: (error: unknown) => void): void {
  if (('result' in outcome && outcome.result === given) || !isPromiseLike(given)) return
  Promise.resolve(given).catch(async (error: unknown) => {
    const own = 'error' in outcome ? outcome.error : await Promise.resolve(outcome.result).then(nothing, itself)
    if (error !== own) failed(error)
  })
}

const nothing = (): undefined => undefined
const itself = (error: unknown): unknown => error
