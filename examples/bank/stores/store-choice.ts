/** What `--store` was given is no store; the message says what is. */
export class StoreChoiceError extends Error {
  override readonly name = 'StoreChoiceError'
}

export type StoreChoice =
  | { readonly kind: 'temporary' }
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly connectionString: string }

const POSTGRES_URL = /^postgres(ql)?:\/\//
const EXPECTED = '--store takes memory, sqlite:PATH or postgres:URL'

export function storeChoice(text: string | undefined): StoreChoice {
  if (text === undefined) return { kind: 'temporary' }
  if (text === 'memory') return { kind: 'memory' }
  // A connection string may stand for itself.
  if (POSTGRES_URL.test(text)) return postgres(text)
  const [kind = '', ...rest] = text.split(':')
  const place = rest.join(':')
  if (kind === 'postgres') return postgres(place)
  if (kind !== 'sqlite') throw new StoreChoiceError(`${EXPECTED}, not ${text}`)
  if (place === '') throw new StoreChoiceError(`${EXPECTED}: the path of the file is missing`)
  return { kind, path: place }
}

function postgres(connectionString: string): StoreChoice {
  // The connection string is not repeated in the message: it may hold a password.
  if (!POSTGRES_URL.test(connectionString) || !URL.canParse(connectionString)) {
    throw new StoreChoiceError(`${EXPECTED}: a URL is like postgres://user:password@localhost:5432/bank`)
  }
  return { kind: 'postgres', connectionString }
}
