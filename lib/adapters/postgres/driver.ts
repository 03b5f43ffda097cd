import type pg from 'pg'
import { MissingDriverError } from '../../errors.ts'

/** The parts of `pg` that are used. */
export type Driver = Pick<typeof pg, 'Client' | 'Pool'>

const PACKAGE = 'pg'

/** Loads the driver when a store is opened, so that whoever has none can still import the package. */
export async function loadDriver(): Promise<Driver> {
  try {
    return (await import('pg')).default
  } catch (thrown) {
    if (isNotFound(thrown)) throw new MissingDriverError('postgres', PACKAGE, { cause: thrown })
    throw thrown
  }
}

function isNotFound(thrown: unknown): boolean {
  const code: unknown = thrown instanceof Error ? (thrown as { readonly code?: unknown }).code : undefined
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}
