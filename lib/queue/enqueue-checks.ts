import { DISPATCH_OPTIONS, isDispatchOption } from '../dispatch/options.ts'
import { InvalidOptionError } from '../errors.ts'
import { shown, textFault } from '../event-store/argument-checks.ts'
import type { Lane } from '../event-store/command-queue-store.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ProcessOptions } from '../routing/enqueue-options.ts'
import { isPriority, laneOf } from './lanes.ts'

/** What concerns the queue alone. */
export interface QueueingOptions {
  readonly idempotencyKey: string | undefined
  readonly lane: Lane
  /** Milliseconds since the epoch. */
  readonly notBefore: number | undefined
  readonly delay: number | undefined
  readonly strict: boolean | undefined
}

export interface SplitOptions {
  readonly queueing: QueueingOptions
  /** What is left is for the dispatch, and is checked there. */
  readonly dispatch: DispatchOptions
}

const PLAIN: SplitOptions = Object.freeze({
  queueing: Object.freeze({
    idempotencyKey: undefined,
    lane: laneOf('normal'),
    notBefore: undefined,
    delay: undefined,
    strict: undefined,
  }),
  dispatch: Object.freeze({}),
})

/**
 * Takes the options of the queue and those of the dispatch apart.
 *
 * @throws {InvalidOptionError} `invalid_option`, naming the option
 */
export function splitOptions(given: ProcessOptions | undefined): SplitOptions {
  if (given === undefined) return PLAIN
  // From JavaScript, anything.
  if (typeof (given as unknown) !== 'object' || (given as unknown) === null || Array.isArray(given)) {
    throw new InvalidOptionError('the options of a command that is stored are an object')
  }
  const { idempotencyKey, priority = 'normal', notBefore, delay, strict, asynchronous: _, ...dispatch } = given
  const unknown = Object.entries<unknown>(dispatch).find(
    ([key, value]) => value !== undefined && !isDispatchOption(key),
  )
  if (unknown !== undefined) {
    const own = 'idempotencyKey, priority, notBefore, delay, strict, asynchronous'
    throw new InvalidOptionError(`a stored command has no option ${unknown[0]}; it has ${own}, ${DISPATCH_OPTIONS}`)
  }
  if (!isPriority(priority)) {
    throw new InvalidOptionError(`priority must be 'high', 'normal' or 'low', not ${shown(priority)}`)
  }
  if (notBefore !== undefined && delay !== undefined) {
    throw new InvalidOptionError('notBefore and delay say the same: give one of them')
  }
  return {
    queueing: {
      idempotencyKey: checkedKey(idempotencyKey),
      lane: laneOf(priority),
      notBefore: checkedTime(notBefore),
      delay: checkedDelay(delay),
      strict: checkedStrict(strict),
    },
    dispatch,
  }
}

function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined) return undefined
  const fault = textFault(key)
  if (fault !== undefined) throw new InvalidOptionError(`idempotencyKey ${fault}`)
  return key
}

function checkedTime(time: unknown): number | undefined {
  if (time === undefined) return undefined
  const milliseconds = time instanceof Date ? time.getTime() : time
  // The stores count whole ones.
  if (typeof milliseconds === 'number' && Number.isFinite(milliseconds)) return Math.max(0, Math.ceil(milliseconds))
  throw new InvalidOptionError('notBefore must be a Date, or milliseconds since 1970')
}

function checkedDelay(delay: unknown): number | undefined {
  if (delay === undefined) return undefined
  if (typeof delay === 'number' && Number.isFinite(delay) && delay >= 0) return Math.ceil(delay)
  throw new InvalidOptionError('delay must be a number of milliseconds from 0')
}

function checkedStrict(strict: unknown): boolean | undefined {
  if (strict === undefined || typeof strict === 'boolean') return strict
  throw new InvalidOptionError('strict must be true or false')
}

/** @throws {InvalidOptionError} `invalid_option` where an option has no sense for a command that is run now */
export function refuseWaiting({ notBefore, delay }: QueueingOptions): void {
  const option = notBefore !== undefined ? 'notBefore' : delay !== undefined ? 'delay' : undefined
  if (option === undefined) return
  throw new InvalidOptionError(`${option} has no sense for a command that is run now: say { asynchronous: true }`)
}

/** @throws {InvalidOptionError} `invalid_option` where an option has no sense for a command that is run later */
export function refuseSignal({ signal }: DispatchOptions): void {
  if (signal === undefined) return
  throw new InvalidOptionError('signal does not reach a command that is run later: cancel() of its receipt does')
}
