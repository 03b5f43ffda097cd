import { modelOf, type Aggregate } from '../aggregate/aggregate.ts'
import { DefinitionError } from '../errors.ts'
import { textFault } from '../event-store/argument-checks.ts'
import { MAX_STREAM_ID_LENGTH } from '../event-store/limits.ts'
import type { SubscriptionFilter } from '../event-store/subscription-filter.ts'

/** Whose events: those of all streams, of one stream, or of all streams of an aggregate, given by itself or by its name. */
export type SubscribeTo = 'all' | { readonly stream: string } | { readonly category: Aggregate | string }

/** @throws {DefinitionError} `invalid_definition` where it is none of the three */
export function checkedSubscribeTo(where: string, given: unknown): Omit<SubscriptionFilter, 'types'> {
  if (given === undefined || given === 'all') return {}
  const keys = typeof given === 'object' && given !== null ? Object.keys(given) : []
  if (keys.length === 1 && keys[0] === 'stream') {
    return {
      streamId: checkedName(where, 'stream', (given as { readonly stream: unknown }).stream, MAX_STREAM_ID_LENGTH),
    }
  }
  if (keys.length === 1 && keys[0] === 'category') {
    const { category } = given as { readonly category: unknown }
    const aggregate = typeof category === 'object' && category !== null ? modelOf(category) : undefined
    return { category: aggregate?.name ?? checkedName(where, 'category', category) }
  }
  throw new DefinitionError(
    `${where}: subscribeTo must be 'all', { stream: 'its id' } or { category: an aggregate, or its name }`,
  )
}

function checkedName(where: string, what: string, value: unknown, limit?: number): string {
  const fault = textFault(value, limit)
  if (fault === undefined) return value as string
  throw new DefinitionError(`${where}: subscribeTo.${what} ${fault}`)
}
