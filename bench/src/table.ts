import type { Target, Unit } from './case.ts'
import type { CaseResult, ResultRow } from './result.ts'

const LABEL = 48
const VALUE = 18
const TARGET = 14

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

function shown(value: number, unit: Unit): string {
  switch (unit) {
    case 'per second':
      return `${whole.format(value)} /s`
    case 'ratio':
      return `${value.toFixed(2)} ×`
    case 'microseconds':
      return `${value.toFixed(2)} µs`
    case 'milliseconds':
      return `${value.toFixed(4)} ms`
    case 'bytes':
      return `${whole.format(value)} bytes`
    case 'instantiations':
      return whole.format(value)
  }
}

function shownTarget({ atLeast, atMost }: Target, unit: Unit): string {
  const format = (value: number): string =>
    unit === 'ratio' || unit === 'milliseconds' ? String(value) : whole.format(value)
  return atLeast === undefined ? `≤ ${format(atMost ?? Infinity)}` : `≥ ${format(atLeast)}`
}

function line({ label, unit, value, target, verdict }: ResultRow): string {
  const figure = `  ${label.padEnd(LABEL)}${shown(value, unit).padStart(VALUE)}`
  return target === undefined ? figure : `${figure}  ${shownTarget(target, unit).padEnd(TARGET)}${verdict}`
}

/** A case as readers see it: what was measured, in how many seconds, each figure, and whether its target is met. */
export function tableOf({ name, title, notes, rows }: CaseResult, seconds: number): string {
  const heading = `${title}  [${name}, ${seconds.toFixed(0)} s]`
  return [heading, '-'.repeat(heading.length), ...notes.map((note) => `  ${note}`), ...rows.map(line), ''].join('\n')
}
