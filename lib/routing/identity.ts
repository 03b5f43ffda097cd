import { InvalidIdentityError, describeThrown } from '../errors.ts'

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
    `${where} is ${identity === null ? 'null' : typeof identity}: an identity is a non-empty string, a finite number, a bigint, or an object with its own toString`,
  )
}

function objectText(identity: object, where: string): string {
  if (!hasTextOfItsOwn(identity)) {
    throw new InvalidIdentityError(`${where} is ${describeObject(identity)}: it has no toString of its own`)
  }
  let text: unknown
  try {
    text = (identity as { toString(): unknown }).toString()
  } catch (cause) {
    throw new InvalidIdentityError(`${where} has a toString that throws: ${describeThrown(cause)}`, { cause })
  }
  if (typeof text !== 'string') throw new InvalidIdentityError(`${where} has a toString that gives no text`)
  if (text === '') throw new InvalidIdentityError(`${where} has a toString that gives an empty string`)
  return text
}

/** Objects whose inherited text says nothing of who they are, or changes with their content. */
function hasTextOfItsOwn(identity: object): boolean {
  if (Array.isArray(identity) || identity instanceof Date || ArrayBuffer.isView(identity)) return false
  return typeof identity.toString === 'function' && identity.toString !== Object.prototype.toString
}

function describeObject(identity: object): string {
  if (Array.isArray(identity)) return 'an array'
  if (identity instanceof Date) return 'a Date'
  return 'an object'
}
