import { checkOptions } from '../event-store/argument-checks.ts'
import type { UnitHost } from '../dispatch/unit-host.ts'
import { NOTHING_SAID, resolveOptions, type ResolvedOptions } from '../dispatch/options.ts'
import { InvalidOptionError } from '../errors.ts'
import { mustAppendAtomically } from '../event-store/atomic-streams.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'

/** What a unit of work may choose. */
export interface UnitOfWorkOptions extends Pick<
  DispatchOptions,
  'metadata' | 'tenant' | 'correlationId' | 'causationId' | 'consistency' | 'consistencyTimeout'
> {
  /**
   * Whether it may persist several aggregates, all of them or none. Needs a store with `atomicStreams`.
   * @default false
   */
  readonly multipleAggregates?: boolean
}

/** What a call of `unitOfWork` may choose: also how long it takes, and how often it is tried. */
export interface UnitOfWorkCallOptions
  extends UnitOfWorkOptions, Pick<DispatchOptions, 'timeout' | 'retryAttempts' | 'signal' | 'deadline'> {}

const OPTIONS = [
  ...['metadata', 'tenant', 'correlationId', 'causationId', 'consistency', 'consistencyTimeout'],
  'multipleAggregates',
]
const CALL_OPTIONS = [...OPTIONS, 'timeout', 'retryAttempts', 'signal', 'deadline']

export interface CheckedUnitOptions {
  readonly options: ResolvedOptions
  readonly multipleAggregates: boolean
}

/** @throws {InvalidOptionError} `invalid_option`; UnsupportedCapabilityError `unsupported_capability` */
export function checkedUnitOptions(host: UnitHost, given: UnitOfWorkCallOptions, isCall: boolean): CheckedUnitOptions {
  checkOptions('a unit of work', given, isCall ? CALL_OPTIONS : OPTIONS)
  const { multipleAggregates = false, ...rest } = given
  // From JavaScript, anything.
  if (typeof (multipleAggregates as unknown) !== 'boolean') {
    throw new InvalidOptionError('multipleAggregates must be true or false')
  }
  if (multipleAggregates) mustAppendAtomically(host.services.store, 'multipleAggregates needs')
  return { options: resolveOptions({ ...NOTHING_SAID, ...host.defaults }, rest), multipleAggregates }
}
