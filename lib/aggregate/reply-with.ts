/** The run-time body of `reply`: a value for the caller, and what a command handler would have returned without it. */
export class ReplyWith {
  readonly value: unknown
  readonly outcome: unknown

  constructor(value: unknown, outcome: unknown) {
    this.value = value
    this.outcome = outcome
  }
}
