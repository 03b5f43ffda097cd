import { DefinitionError } from '../errors.ts'

type ErrorActionName = 'retry' | 'skip' | 'stop' | 'park'

/** What becomes of an event whose handler failed: made by `retry`, `skip`, `stop` and `park`. */
export class ErrorAction {
  readonly action: ErrorActionName
  /** Milliseconds before the retry; undefined for the back-off. */
  readonly after: number | undefined

  constructor(action: ErrorActionName, after?: number) {
    this.action = action
    this.after = after
    Object.freeze(this)
  }
}

const retryWithBackoff = new ErrorAction('retry')
const skipEvent = new ErrorAction('skip')
const stopHandler = new ErrorAction('stop')
const parkEvent = new ErrorAction('park')

/**
 * From `onError`: the handler gets the event again, after `after` milliseconds, or after a wait that grows with each failure.
 *
 * @example
 * onError: (error, recorded, { failures }) => (failures < 5 ? retry({ after: 200 }) : stop())
 *
 * @throws {DefinitionError} `invalid_definition` where `after` is no number of milliseconds
 */
export function retry(options: { readonly after?: number } = {}): ErrorAction {
  const { after } = options
  if (after === undefined) return retryWithBackoff
  if (typeof after !== 'number' || !Number.isFinite(after) || after < 0) {
    throw new DefinitionError('retry({ after }) needs a number of milliseconds')
  }
  return new ErrorAction('retry', after)
}

/**
 * From `onError`: the event counts as handled, and the handler goes on with the next one.
 *
 * @example
 * onError: (error) => (error instanceof UnknownCustomer ? skip() : retry())
 */
export function skip(): ErrorAction {
  return skipEvent
}

/**
 * From `onError`: the handler stops before the event; other handlers go on.
 *
 * @example
 * onError: () => stop()
 */
export function stop(): ErrorAction {
  return stopHandler
}

/**
 * From `onError`: the event is set aside with its error, and the handler goes on with the next one. Later events of the same stream
 * (of the same key, with `partitionBy`) are set aside behind it, so that their order is kept, until it is replayed or discarded.
 *
 * @example
 * onError: (error, recorded, { failures }) => (failures < 5 ? retry() : park())
 */
export function park(): ErrorAction {
  return parkEvent
}
