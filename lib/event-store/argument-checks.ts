import { InvalidOptionError } from '../errors.ts'
import { MAX_NAME_LENGTH } from './limits.ts'
import { isWellFormed } from './well-formed.ts'

// The checks of single arguments that stand in front of every adapter. None of them allocates unless it refuses.

/** A refused value, short enough for a message. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value === undefined ? 'undefined' : `a value of type ${typeof value}`
}

/** What keeps a value from being stored as a name, as the end of a sentence; undefined where nothing does. */
export function textFault(value: unknown, limit = MAX_NAME_LENGTH): string | undefined {
  if (typeof value !== 'string') return `must be a string, not ${shown(value)}`
  if (value === '') return 'must not be empty'
  if (value.length > limit) return `must not be longer than ${limit} characters; it has ${value.length}`
  if (value.includes('\0')) return 'must not contain a NUL character'
  if (!isWellFormed(value)) return 'must not contain half of a surrogate pair'
  return undefined
}

export function checkText(where: string, what: string, value: unknown, limit = MAX_NAME_LENGTH): void {
  const fault = textFault(value, limit)
  if (fault !== undefined) throw new InvalidOptionError(`${where}: ${what} ${fault}`)
}

export function checkWhole(where: string, what: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  throw new InvalidOptionError(`${where}: ${what} must be a whole number of at least ${least}, not ${shown(value)}`)
}

/** As `checkWhole`, for what may be left out. */
export function checkOptionalWhole(where: string, what: string, value: unknown, least: number): void {
  if (value !== undefined) checkWhole(where, what, value, least)
}

export function checkObject(where: string, what: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return
  throw new InvalidOptionError(`${where}: ${what} must be an object, not ${shown(value)}`)
}

/** Refuses options that are not an object, and those that nobody would read. */
export function checkOptions(where: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return
  checkObject(where, 'the options', options)
  for (const key in options as object) {
    if (known.includes(key)) continue
    throw new InvalidOptionError(`${where}: unknown option ${shown(key)}; the options are ${known.join(', ')}`)
  }
}
