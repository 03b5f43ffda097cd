import { v5 } from 'uuid'
import { silencedPromise } from '../effects/refuse-promise.ts'
import { CommandFailedError, DefinitionError, InvalidOutcomeError } from '../errors.ts'

/** What can be unique. It is compared as text: 1 and '1' are the same. */
export type UniqueText = string | number | bigint

/** A value of an aggregate's state that no other aggregate of its scope may have. */
export interface UniqueValue<State> {
  /** The value, or the values, that a state has; nothing, or an empty list, where it has none. Pure. */
  readonly of: (state: Readonly<State>) => UniqueText | readonly UniqueText[] | null | undefined
  /** Gives the same text for values that count as the same. Pure. @default none: values are the same where their texts are */
  readonly normalize?: (value: string) => string
  /**
   * Within which a value is unique: a stored contract. Aggregates that name the same scope share it; each tenant has scopes of its own.
   * @default the aggregate's name, a point and the key: `'User.email'`
   */
  readonly scope?: string
}

/** By a key of your own: the values that have to be unique. */
export type UniqueValues<State> = Readonly<Record<string, UniqueValue<State>>>

/** The category of the streams that say who has which value. */
export const UNIQUE_CATEGORY = 'edict.unique'
/** A name space of Edict's own for RFC 9562 name-based ids. */
const VALUE_NAMESPACE = '0f0b8a52-6d6e-5b0c-8a55-7d2f1e0b9c34'

const KEYS: ReadonlySet<string> = new Set(['of', 'normalize', 'scope'])

interface Rule extends UniqueValue<unknown> {
  /** For messages: `'the unique email of User'`. */
  readonly who: string
  readonly scope: string
}

/** What a state has that nobody else may have: scopes, by what tells value and scope from all others. */
export type Claims = ReadonlyMap<string, string>

const NO_CLAIMS: Claims = new Map()

/** What of an aggregate's state has to be unique. */
export class UniqueRules {
  readonly #rules: readonly Rule[]

  /** @throws {DefinitionError} `invalid_definition`, naming what is wrong */
  constructor(aggregate: string, given: unknown) {
    if (given === null || typeof given !== 'object' || Array.isArray(given)) {
      throw new DefinitionError(`${aggregate}: unique must be an object of { of, normalize?, scope? } by key`)
    }
    this.#rules = Object.entries(given).map(([key, rule]) => checkedRule(aggregate, key, rule))
    const scopes = this.#rules.map(({ scope }) => scope)
    const twice = scopes.find((scope, index) => scopes.indexOf(scope) !== index)
    if (twice !== undefined) throw new DefinitionError(`${aggregate}: two of its unique values have the scope ${twice}`)
  }

  /**
   * @throws {CommandFailedError} `command_failed` where user code throws; InvalidOutcomeError `invalid_outcome` where it gives
   *   what cannot be unique
   */
  claims(state: unknown, tenant: string | undefined): Claims {
    let claims: Map<string, string> | undefined
    for (const rule of this.#rules) {
      for (const text of textsOf(rule, state)) {
        claims ??= new Map()
        // As JSON, which keeps the two apart whatever they hold, and has a text for lone surrogates too.
        claims.set(JSON.stringify(tenant === undefined ? [rule.scope, text] : [rule.scope, text, tenant]), rule.scope)
      }
    }
    return claims ?? NO_CLAIMS
  }
}

/** The stream that says who has what is claimed. Its id does not say the value itself. */
export function claimStream(claim: string): string {
  return `${UNIQUE_CATEGORY}-${v5(claim, VALUE_NAMESPACE)}`
}

function textsOf(rule: Rule, state: unknown): readonly string[] {
  const { of, normalize, who } = rule
  let given: unknown
  try {
    // The rule stands in the aggregate whose state it is given.
    given = of(state as never)
  } catch (cause) {
    throw new CommandFailedError(who, cause)
  }
  if (given === undefined || given === null) return []
  const values: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (!values.every(isUniqueText)) {
    // Mostly of an asynchronous `map`: all of them may fail later.
    const [wrong] = values.filter((value) => !isUniqueText(value)).map(kindOf)
    throw new InvalidOutcomeError(`${who} gave ${wrong}: it gives text, a number, a bigint, a list of such, or nothing`)
  }
  const texts = values.map(String)
  return normalize === undefined ? texts : texts.map((text) => normalized(rule, text))
}

function isUniqueText(value: unknown): value is UniqueText {
  const isText = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
  return isText && value !== '' && !Number.isNaN(value)
}

function normalized({ normalize, who }: Rule, text: string): string {
  let given: unknown
  try {
    given = normalize?.(text)
  } catch (cause) {
    throw new CommandFailedError(`normalize of ${who}`, cause)
  }
  if (typeof given === 'string') return given
  throw new InvalidOutcomeError(`normalize of ${who} gave ${kindOf(given)}: it gives a text`)
}

function kindOf(value: unknown): string {
  if (silencedPromise(value)) return 'a promise'
  if (value === '') return 'an empty text'
  return value === null ? 'null' : Number.isNaN(value) ? 'NaN' : `a value of type ${typeof value}`
}

function checkedRule(aggregate: string, key: string, given: unknown): Rule {
  const where = `${aggregate}: unique.${key}`
  if (given === null || typeof given !== 'object')
    throw new DefinitionError(`${where} must be { of, normalize?, scope? }`)
  for (const name of Object.keys(given)) {
    if (!KEYS.has(name)) throw new DefinitionError(`${where} has no ${name}; it has ${[...KEYS].join(', ')}`)
  }
  const { of, normalize, scope = `${aggregate}.${key}` } = given as Partial<Record<keyof UniqueValue<unknown>, unknown>>
  if (typeof of !== 'function') throw new DefinitionError(`${where} needs of, a function of the state`)
  if (normalize !== undefined && typeof normalize !== 'function') {
    throw new DefinitionError(`${where}.normalize must be a function`)
  }
  if (typeof scope !== 'string' || scope.trim() === '')
    throw new DefinitionError(`${where}.scope must be a non-empty text`)
  return {
    who: `the unique ${key} of ${aggregate}`,
    scope,
    // What they take and give is the business of their types; here they are only known to be functions.
    of: of as UniqueValue<unknown>['of'],
    ...(normalize !== undefined && { normalize: normalize as NonNullable<UniqueValue<unknown>['normalize']> }),
  }
}
