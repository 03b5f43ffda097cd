import { InvalidArgumentError } from 'commander'

/** A whole number, from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number
    throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`)
  }
}

/** Seconds, as milliseconds. */
export function seconds(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number <= 1_000_000) return Math.round(number * 1_000)
  throw new InvalidArgumentError('It must be a number of seconds.')
}

/** An option that may be given several times, or with commas between. */
export function list(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((part) => part !== '')]
}
