import { InvalidOutcomeError } from '../errors.ts'
import { refusePromise } from '../effects/refuse-promise.ts'
import { identityText } from '../routing/identity.ts'

/** What tells the instances of a process manager apart; kept as text. */
export type ProcessId = string | number | bigint

type Ids = ProcessId | readonly ProcessId[]

/**
 * What an event means to a process manager:
 * - `start`: it goes to this instance, which is made if it does not run yet; with `strict`, one that runs already is an error
 * - `continue`: likewise; with `strict`, one that does not run is an error
 * - `stop`: the instance is over, and what is kept of it is deleted; the event is not handled
 *
 * A list of ids means several instances.
 */
export type ProcessInterest =
  | { readonly start: Ids; readonly strict?: boolean; readonly continue?: never; readonly stop?: never }
  | { readonly continue: Ids; readonly strict?: boolean; readonly start?: never; readonly stop?: never }
  | { readonly stop: Ids; readonly strict?: never; readonly start?: never; readonly continue?: never }

const KINDS = ['start', 'continue', 'stop'] as const

/** Where an event goes. */
export interface ProcessRoute {
  readonly kind: (typeof KINDS)[number]
  readonly strict: boolean
  readonly ids: readonly string[]
}

const NOWHERE: ProcessRoute = Object.freeze({ kind: 'continue', strict: false, ids: Object.freeze([]) })

/**
 * What `interested` gave, checked.
 *
 * @throws {InvalidOutcomeError} `invalid_outcome`
 * @throws {InvalidIdentityError} `invalid_identity`
 */
export function routeOf(who: string, given: unknown): ProcessRoute {
  if (given === undefined || given === null || given === false) return NOWHERE
  refusePromise(given, who)
  if (typeof given !== 'object' || Array.isArray(given)) throw garbage(who)
  const said = given as Readonly<Record<string, unknown>>
  const kinds = KINDS.filter((kind) => said[kind] !== undefined)
  const [kind] = kinds
  const { strict = false } = said
  const unknown = Object.keys(said).find((key) => key !== kind && key !== 'strict' && said[key] !== undefined)
  if (kind === undefined || unknown !== undefined || typeof strict !== 'boolean' || (strict && kind === 'stop')) {
    throw garbage(who)
  }
  const ids = said[kind]
  const what = `the id that ${who} gave`
  return {
    kind,
    strict,
    ids: Array.isArray(ids)
      ? [...new Set(ids.map((id: unknown) => identityText(id, what)))]
      : [identityText(ids, what)],
  }
}

function garbage(who: string): InvalidOutcomeError {
  return new InvalidOutcomeError(
    `${who} must give { start: id }, { continue: id } (each with strict: true if need be), { stop: id }, or nothing`,
  )
}
