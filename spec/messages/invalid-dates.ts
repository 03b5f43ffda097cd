/**
 * For `expect.addEqualityTesters`: an invalid date is equal to another one here; to `===` and to all that is built on it, it equals
 * nothing.
 */
export function areInvalidDates(left: unknown, right: unknown): boolean | undefined {
  if (!(left instanceof Date && right instanceof Date)) return undefined
  return Number.isNaN(left.getTime()) ? Number.isNaN(right.getTime()) : undefined
}
