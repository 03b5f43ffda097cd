import type { Rejection } from '../aggregate/rejection.ts'
import { describeThrown } from '../errors.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import { ExpectationError, expectSame } from './expectation-error.ts'

/** What a command came to. */
export type Happened =
  | {
      readonly kind: 'decided'
      readonly events: readonly SealedMessage[]
      readonly state: unknown
      readonly reply: unknown
    }
  | { readonly kind: 'rejected'; readonly rejection: Rejection; readonly state: unknown }
  | { readonly kind: 'threw'; readonly error: unknown; readonly state: unknown }

/** A class of errors, a pattern or a text of the message, or what says whether it is the one. */
export type ThrownMatch = (abstract new (...given: never) => unknown) | RegExp | string | { readonly code: string }

/** The expectations that a test may have of what a command came to. `what` says of which command, for messages. */
export class Expectations {
  readonly happened: Happened
  readonly #what: string

  constructor(happened: Happened, what: string) {
    this.happened = happened
    this.#what = what
  }

  events(expected: readonly unknown[]): void {
    const { happened } = this
    if (expected.some((one) => typeof one === 'function')) throw new NothingExpected(this.#what)
    if (happened.kind !== 'decided') throw this.#unlike(messages(expected), `to lead to events`)
    expectSame(messages(happened.events), messages(expected), `${this.#what} led to other events`)
  }

  /** `details` is looked at where it is given. */
  rejects(code: string, details: readonly [unknown?]): void {
    const { happened } = this
    const expected = { rejected: code, ...(details.length > 0 && { details: details[0] }) }
    if (happened.kind !== 'rejected') throw this.#unlike(expected, `to be rejected with ${code}`)
    const { rejection } = happened
    const actual = { rejected: rejection.code, ...(details.length > 0 && { details: rejection.details }) }
    expectSame(actual, expected, `${this.#what} was rejected otherwise`)
  }

  throws(match: ThrownMatch | undefined): void {
    const { happened } = this
    if (happened.kind !== 'threw') throw this.#unlike({ threw: match ?? 'an error' }, 'to throw')
    if (match !== undefined) expectThrown(happened.error, match, this.#what)
  }

  state(expected: unknown): void {
    if (this.happened.kind === 'threw') throw this.#unlike(expected, 'to lead to a state')
    expectSame(this.happened.state, expected, `${this.#what} led to another state`)
  }

  reply(expected: unknown): void {
    if (this.happened.kind !== 'decided') throw this.#unlike({ reply: expected }, 'to be replied to')
    expectSame(this.happened.reply, expected, `${this.#what} had another reply`)
  }

  #unlike(expected: unknown, ought: string): ExpectationError {
    const { happened } = this
    const cause = happened.kind === 'threw' ? { cause: happened.error } : undefined
    return new ExpectationError(
      `${this.#what} was expected ${ought}, but ${told(happened)}`,
      expected,
      shown(happened),
      cause,
    )
  }
}

/** An `await`, or a test runner, came to an outcome of which nothing was expected. */
export class NothingExpected extends Error {
  override readonly name = 'AssertionError'

  constructor(what: string) {
    super(
      `nothing was expected of ${what}: end with then(…), thenNothing(), thenRejects(…), thenThrows() or thenState(…)`,
    )
  }
}

export function expectThrown(error: unknown, match: ThrownMatch, what: string): void {
  if (fits(error, match)) return
  throw new ExpectationError(`${what} threw another error`, { threw: match }, { threw: error }, { cause: error })
}

function fits(error: unknown, match: ThrownMatch): boolean {
  if (typeof match === 'function') return error instanceof match
  if (typeof match === 'string') return describeThrown(error).includes(match)
  if (match instanceof RegExp) return match.test(describeThrown(error))
  return (error as { readonly code?: unknown } | null | undefined)?.code === match.code
}

function told(happened: Happened): string {
  if (happened.kind === 'rejected') return `was rejected with ${happened.rejection.code}`
  if (happened.kind === 'threw') return `threw: ${describeThrown(happened.error)}`
  const types = happened.events.map(({ type }) => type)
  return types.length === 0 ? 'led to nothing' : `led to ${types.join(', ')}`
}

function shown(happened: Happened): unknown {
  if (happened.kind === 'threw') return { threw: happened.error }
  if (happened.kind === 'decided') return messages(happened.events)
  const { code, details } = happened.rejection
  return { rejected: code, ...(details !== undefined && { details }) }
}

/** Of messages, what they say: the runners' own differences would show their class, too. */
export function messages(given: readonly unknown[]): unknown[] {
  return given.map((one) => {
    if (typeof one !== 'object' || one === null || !('type' in one) || !('data' in one)) return one
    return { type: one.type, data: one.data }
  })
}
