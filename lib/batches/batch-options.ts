import { InvalidOptionError } from '../errors.ts'
import { DEPTH, type TriggeredOptions } from '../dispatch/options.ts'

const KNOWN = [
  ...['consistency', 'timeout', 'consistencyTimeout', 'metadata', 'causationId', 'correlationId', 'signal'],
  ...['retryAttempts', 'deadline', 'tenant', 'commandIds'],
]

export interface CheckedBatchOptions {
  /** As those of a dispatch, for each command. */
  readonly each: TriggeredOptions
  readonly commandIds: readonly string[] | undefined
}

/** @throws {InvalidOptionError} `invalid_option` */
export function checkedBatchOptions(given: unknown, count: number): CheckedBatchOptions {
  if (given === undefined) return { each: {}, commandIds: undefined }
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new InvalidOptionError('the options of a batch are an object')
  }
  const unknown = Object.keys(given).find((key) => !KNOWN.includes(key))
  if (unknown !== undefined) {
    throw new InvalidOptionError(`a batch has no option ${unknown}; it has ${KNOWN.join(', ')}`)
  }
  const { commandIds, ...each } = given as TriggeredOptions & { readonly commandIds?: unknown }
  const depth = (given as TriggeredOptions)[DEPTH]
  return {
    each: depth === undefined ? each : { ...each, [DEPTH]: depth },
    commandIds: commandIds === undefined ? undefined : checkedIds(commandIds, count),
  }
}

function checkedIds(given: unknown, count: number): readonly string[] {
  const ids: readonly unknown[] = Array.isArray(given) ? given : []
  const isOneEach = ids.length === count && new Set(ids).size === count
  // Each is looked at again as the command id that it is.
  if (isOneEach && ids.every((id) => typeof id === 'string')) return ids
  throw new InvalidOptionError(`commandIds must be a list of ${count} ids, one for each command, and no two the same`)
}

/** Commands and options, as `executeCommands` and `dryRun` take them: one after another, or a list and options. */
export function givenCommands(given: readonly unknown[]): { commands: readonly unknown[]; options: unknown } {
  const [first, second] = given
  if (Array.isArray(first) && given.length <= 2) return { commands: first, options: second }
  return { commands: given, options: undefined }
}
