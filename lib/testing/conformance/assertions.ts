import { systemClock } from '../../effects/clock.ts'
import type { MaybePromise } from '../../effects/maybe-promise.ts'
import { describeThrown, EdictError } from '../../errors.ts'
import { isSame } from '../same-value.ts'

/** How long a condition may take to come true. */
const PATIENCE_MS = 5_000
const LOOK_EVERY_MS = 2

/** What a case of the suite throws where the store does not behave. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure'
}

export function fail(message: string): never {
  throw new ConformanceFailure(message)
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) fail(message)
}

/** Deep equality; what a store gives may be of another class than what it was given, but not hold anything else. */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  if (!isSame(actual, expected)) fail(`${what}: expected ${shown(expected)}, got ${shown(actual)}`)
}

/** Checks that a call fails with an error of the catalogue, thrown or rejected with, and gives the error. */
export async function assertFails(call: () => MaybePromise<unknown>, code: string, what: string): Promise<EdictError> {
  try {
    await call()
  } catch (thrown) {
    if (!(thrown instanceof EdictError)) fail(`${what}: expected the code ${code}, got ${describeThrown(thrown)}`)
    assertEqual(thrown.code, code, `${what}: the code of ${JSON.stringify(thrown.message)}`)
    assertEqual(thrown.outcome, 'not-executed', `${what}: the outcome`)
    return thrown
  }
  fail(`${what}: expected a failure with the code ${code}, but the call went through`)
}

/** Waits until a condition holds. */
export async function eventually(what: string, condition: () => MaybePromise<boolean>): Promise<void> {
  const deadline = systemClock.now() + PATIENCE_MS
  while (!(await condition())) {
    if (systemClock.now() > deadline) fail(`waited ${PATIENCE_MS} ms in vain until ${what}`)
    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** As `Promise.all`, but when one has failed the others are waited for, so that nothing goes on when a case is over. */
export async function allSettled<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/** The numbers from first to last. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`
    if (item instanceof Map || item instanceof Set) return Array.from<unknown>(item)
    if (item instanceof Uint8Array) return `bytes ${Array.from(item.subarray(0, 20)).join(' ')}`
    return typeof item === 'number' && !Number.isFinite(item) ? String(item) : item
  }) as string | undefined
  if (text === undefined) return String(value)
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}
