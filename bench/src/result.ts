import type { Case, Row, Target, Unit } from './case.ts'
import { valueOf, type Round } from './rounds.ts'

export interface ResultRow {
  readonly label: string
  readonly unit: Unit
  readonly value: number
  readonly target?: Target
  readonly verdict?: 'pass' | 'missed'
}

export interface CaseResult {
  readonly name: string
  readonly title: string
  readonly notes: readonly string[]
  readonly rows: readonly ResultRow[]
  readonly rounds: readonly Round[]
}

const isMet = (value: number, { atLeast = -Infinity, atMost = Infinity }: Target): boolean =>
  value >= atLeast && value <= atMost

export function judged({ label, unit, target }: Omit<Row, 'value'>, value: number): ResultRow {
  if (target === undefined) return { label, unit, value }
  return { label, unit, value, target, verdict: isMet(value, target) ? 'pass' : 'missed' }
}

export const resultOf = ({ name, title, notes = [], rows }: Case, rounds: readonly Round[]): CaseResult => ({
  name,
  title,
  notes,
  rows: rows.map((row) => judged(row, valueOf(row, rounds))),
  rounds,
})
