/** How long a contender is measured. */
export interface Effort {
  /** For a quick look: fewer commands a pass, fewer passes. */
  readonly short: boolean
  /** Milliseconds of passes that are not measured, so that the compiler is done with its work. */
  readonly warmUp: number
  /** Milliseconds of passes that are measured. */
  readonly measured: number
  /** So many passes are measured at least. */
  readonly passes: number
}

export const FULL: Effort = { short: false, warmUp: 800, measured: 1_500, passes: 5 }
export const SHORT: Effort = { short: true, warmUp: 200, measured: 200, passes: 3 }
