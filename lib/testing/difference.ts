import { valueText } from './value-text.ts'

/** Longer texts are shown one after the other, as to compare each line with each would take too long. */
const MOST_LINES = 1_000
/** So many lines that are the same stand around those that are not. */
const CONTEXT = 3

/** What tells two values apart, line by line: `-` is before what was expected, `+` before what was there. */
export function difference(expected: unknown, actual: unknown): string {
  const before = valueText(expected).split('\n')
  const after = valueText(actual).split('\n')
  const lines = Math.max(before.length, after.length) > MOST_LINES ? allOf(before, after) : compared(before, after)
  return ['- expected', '+ actual', '', ...shortened(lines)].join('\n')
}

function allOf(before: readonly string[], after: readonly string[]): string[] {
  return [...before.map((line) => `- ${line}`), ...after.map((line) => `+ ${line}`)]
}

/** By the longest common subsequence. */
function compared(before: readonly string[], after: readonly string[]): string[] {
  const width = after.length + 1
  // The length of what is common from a pair of places to the ends.
  const common = new Uint32Array((before.length + 1) * width)
  const at = (left: number, right: number): number => common[left * width + right] ?? 0
  for (let left = before.length - 1; left >= 0; left--) {
    for (let right = after.length - 1; right >= 0; right--) {
      common[left * width + right] =
        before[left] === after[right] ? at(left + 1, right + 1) + 1 : Math.max(at(left + 1, right), at(left, right + 1))
    }
  }
  const lines: string[] = []
  let left = 0
  let right = 0
  while (left < before.length || right < after.length) {
    if (left < before.length && before[left] === after[right]) {
      lines.push(`  ${before[left]}`)
      left++
      right++
    } else if (left < before.length && (right === after.length || at(left + 1, right) >= at(left, right + 1))) {
      lines.push(`- ${before[left++]}`)
    } else {
      lines.push(`+ ${after[right++]}`)
    }
  }
  return lines
}

/** Leaves out what is the same and far from what is not. */
function shortened(lines: readonly string[]): string[] {
  const differs = lines.map((line) => !line.startsWith('  '))
  const isNear = (index: number): boolean =>
    differs.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(Boolean)
  const kept: string[] = []
  for (const [index, line] of lines.entries()) {
    if (isNear(index)) kept.push(line)
    else if (kept.at(-1) !== '  …') kept.push('  …')
  }
  return kept
}
