import { InvalidOptionError } from '../errors.ts'

/** What a store says where work that was given a transaction has ended it: what it wrote is committed, and its place is not. */
export function endedTransaction(): InvalidOptionError {
  return new InvalidOptionError(
    'saveCheckpoint: the work has ended the transaction that it was given, so that what it wrote may be committed without its place, ' +
      'and be written again: leave BEGIN, COMMIT and ROLLBACK to the store, and then rebuild what the work has written',
  )
}
