import { silencedPromise } from '../effects/refuse-promise.ts'
import { InvalidIdentityError, describeThrown } from '../errors.ts'
import { hasTextOfItsOwn } from '../messages/own-text.ts'

/**
 * The text of an identity: a non-empty string, a finite number, a bigint, or an object with a `toString` of its own.
 *
 * `where` says whose identity it is, for messages: `'OpenAccount.accountNumber'`.
 * @throws {InvalidIdentityError} `invalid_identity` for anything else
 */
export function identityText(identity: unknown, where: string): string {
  switch (typeof identity) {
    case 'string':
      if (identity === '') throw new InvalidIdentityError(`${where} is an empty string: it cannot be an identity`)
      return identity
    case 'number':
      if (!Number.isFinite(identity))
        throw new InvalidIdentityError(`${where} is ${identity}: it cannot be an identity`)
      return String(identity)
    case 'bigint':
      return String(identity)
    case 'object':
      if (identity !== null) return objectText(identity, where)
      break
    default:
  }
  throw new InvalidIdentityError(
    `${where} is ${silencedPromise(identity) ? 'a promise' : identity === null ? 'null' : typeof identity}: an identity is a non-empty string, a finite number, a bigint, or an object with its own toString`,
  )
}

function objectText(identity: object, where: string): string {
  let text: unknown
  let hasText: boolean
  try {
    hasText = hasTextOfItsOwn(identity)
    if (hasText) text = (identity as { toString(): unknown }).toString()
    // It is refused below; should it fail later, that must not end the process.
    silencedPromise(text)
  } catch (cause) {
    throw new InvalidIdentityError(`${where} has a toString that throws: ${describeThrown(cause)}`, { cause })
  }
  if (!hasText) throw new InvalidIdentityError(`${where} is ${describeObject(identity)}: it has no toString of its own`)
  if (typeof text !== 'string') throw new InvalidIdentityError(`${where} has a toString that gives no text`)
  if (text === '') throw new InvalidIdentityError(`${where} has a toString that gives an empty string`)
  return text
}

function describeObject(identity: object): string {
  if (silencedPromise(identity)) return 'a promise'
  if (Array.isArray(identity)) return 'an array'
  if (identity instanceof Date) return 'a Date'
  return 'an object'
}
