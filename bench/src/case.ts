import type { Effort } from './effort.ts'

/** What one measurement of one contender gives, by name. */
export type Figures = Readonly<Record<string, number>>

/** One figure of a contender within one round. */
export type Read = (contender: string, figure: string) => number

export type Unit = 'per second' | 'ratio' | 'microseconds' | 'milliseconds' | 'bytes' | 'instantiations'

export interface Target {
  readonly atLeast?: number
  readonly atMost?: number
}

/** A line of the table. Ratios are taken within a round, so that both sides had the same weather. */
export interface Row {
  readonly label: string
  readonly unit: Unit
  readonly value: (read: Read) => number
  readonly target?: Target
}

/** What the contenders of a case find there: events that are stored, say. */
export interface Prepared {
  /** Tells them where it is. */
  readonly place: string
  remove(): Promise<void>
}

/** Measures one contender, and throws where what came out is wrong. */
export type Measure = (effort: Effort, place: string) => Promise<Figures>

export interface Case {
  readonly name: string
  readonly title: string
  readonly notes?: readonly string[]
  /** At most so many rounds, where every round gives the same. */
  readonly rounds?: number
  /** At most so many in a short run. */
  readonly shortRounds?: number
  /** Not part of a short run, unless it is asked for by name. */
  readonly fullOnly?: boolean
  /** Part of no run, unless it is asked for by name. */
  readonly byNameOnly?: boolean
  /** The contenders get a server of PostgreSQL, by `postgresUrl()`. */
  readonly postgres?: true
  /** Made once, before the first round, and removed after the last; the contenders get its place. */
  readonly prepare?: (effort: Effort) => Promise<Prepared>
  readonly contenders: Readonly<Record<string, Measure>>
  readonly rows: readonly Row[]
}

/** The line of a single figure. */
export const figure = (contender: string, name: string, unit: Unit, target?: Target): Row => ({
  label: contender,
  unit,
  value: (read) => read(contender, name),
  ...(target && { target }),
})

/** The line of one contender's figure divided by another's. */
export const ratio = (above: string, below: string, name: string, target?: Target): Row => ({
  label: `${above} ÷ ${below}`,
  unit: 'ratio',
  value: (read) => read(above, name) / read(below, name),
  ...(target && { target }),
})
