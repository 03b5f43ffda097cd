import {
  AggregateExistsError,
  AggregateNotFoundError,
  CommandRejectedError,
  HaltedError,
  UniqueValueTakenError,
  type EdictError,
} from '../errors.ts'

/**
 * What became of a dispatch.
 * - `executed`: the command took effect, whether or not an error came after that
 * - `rejected`: the domain said no, a value that must be unique is taken, or an aggregate is not there, or there already
 * - `halted`: a middleware said no
 * - `failed`: something broke, or ran out of time; nothing was stored
 * - `unknown`: nobody can tell whether the events are stored
 * - `refused`: it never became a dispatch: nobody registers the command, it has no identity, an option does not fit, …
 */
export type DispatchOutcome = 'executed' | 'rejected' | 'halted' | 'failed' | 'unknown' | 'refused'

/** What a dispatch that ended by an error came to. */
export function outcomeOf(error: EdictError): DispatchOutcome {
  if (error.outcome !== 'not-executed') return error.outcome
  if (error instanceof CommandRejectedError || error instanceof UniqueValueTakenError) return 'rejected'
  if (error instanceof AggregateNotFoundError || error instanceof AggregateExistsError) return 'rejected'
  return error instanceof HaltedError ? 'halted' : 'failed'
}
