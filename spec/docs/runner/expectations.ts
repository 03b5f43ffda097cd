import { isDeepStrictEqual } from 'node:util'

// What the modules of pages call. A claim that does not hold is told, and the page goes on.

/** In an expected object: it may have more keys. */
export const more = Symbol('more')

export const broken: { readonly where: string; readonly message: string }[] = []
let checked = 0

/** How many claims were looked at so far, whether they held or not. */
export function checkedClaims(): number {
  return checked
}

export function holds(value: unknown, expected: () => unknown, where: string): void {
  checked++
  const wanted = expected()
  if (matches(value, wanted)) return
  broken.push({ where, message: `the page says ${shown(wanted)}, and it is ${shown(value)}` })
}

export async function throws(work: () => Promise<unknown>, code: string, where: string): Promise<void> {
  checked++
  try {
    const value = await work()
    broken.push({ where, message: `the page says that it throws ${code}, and it gives ${shown(value)}` })
  } catch (error) {
    const given = (error as { readonly code?: unknown }).code ?? (error as Error).name
    if (given !== code)
      broken.push({ where, message: `the page says that it throws ${code}, and it throws ${String(error)}` })
  }
}

/** Equal in what can be seen: keys and values, at any depth, whatever class made them. */
function matches(value: unknown, wanted: unknown): boolean {
  if (!isPlain(wanted) && !Array.isArray(wanted)) return isDeepStrictEqual(value, wanted)
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== Array.isArray(wanted)) return false
  const keys = Object.keys(wanted)
  const allowsMore = more in wanted
  if (!allowsMore && Object.keys(value).length !== keys.length) return false
  return keys.every((key) => Object.hasOwn(value, key) && matches((value as Fields)[key], (wanted as Fields)[key]))
}

type Fields = Readonly<Record<string, unknown>>

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  try {
    const text: unknown = JSON.stringify(value)
    return typeof text === 'string' ? text : String(value)
  } catch {
    return String(value)
  }
}
