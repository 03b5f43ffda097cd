import {
  AggregateExistsError,
  AggregateNotFoundError,
  CommandRejectedError,
  CommandTimeoutError,
  ConsistencyTimeoutError,
  DeadlineExceededError,
  UniqueValueTakenError,
  VersionConflictError,
  type EdictError,
} from '../errors.ts'
import type { Result } from '../effects/result.ts'

/** What a caller has to reckon with in a right program. Everything else is a mistake or a breakdown, and rejects. */
function isExpected(error: unknown): error is EdictError {
  return (
    error instanceof CommandRejectedError ||
    error instanceof CommandTimeoutError ||
    error instanceof DeadlineExceededError ||
    error instanceof ConsistencyTimeoutError ||
    error instanceof VersionConflictError ||
    error instanceof UniqueValueTakenError ||
    error instanceof AggregateNotFoundError ||
    error instanceof AggregateExistsError
  )
}

/** A dispatch as `tryDispatch` gives it: an expected failure is a result. */
export async function tried<Value>(dispatched: Promise<Value>): Promise<Result<Value, EdictError>> {
  try {
    return { ok: true, value: await dispatched }
  } catch (error) {
    if (isExpected(error)) return { ok: false, error }
    throw error
  }
}
