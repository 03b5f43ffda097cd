import type { AllSlice, ReadAllOptions } from '../../event-store/event-store.ts'
import { DEFAULT_MAX_COUNT } from '../../event-store/limits.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import type { Rows } from './rows.ts'

/** So many rows are looked at in one call at most, so that a filter that few events pass does not hold the event loop. */
const MAX_ROWS_OF_A_SCAN = 10_000

/** Reads among all events, in either direction. */
export function readRows(rows: Rows, options: ReadAllOptions): AllSlice {
  const { maxCount = DEFAULT_MAX_COUNT, direction = 'forward', types, category, correlationId, tenant } = options
  const headPosition = rows.length
  const forward = direction === 'forward'
  const step = forward ? 1 : -1
  // Backward, there is nothing to look at above the head.
  const from = forward ? (options.fromPosition ?? 1) : Math.min(options.fromPosition ?? headPosition, headPosition)
  const end = forward
    ? Math.min(headPosition, from + MAX_ROWS_OF_A_SCAN - 1)
    : Math.max(1, from - MAX_ROWS_OF_A_SCAN + 1)
  const events: StoredEvent[] = []
  let position = from
  for (; forward ? position <= end : position >= end; position += step) {
    if (events.length === maxCount) break
    if (types !== undefined && !types.has(rows.typeAt(position))) continue
    if (category !== undefined && rows.categoryAt(position) !== category) continue
    if (correlationId !== undefined && rows.correlationIdAt(position) !== correlationId) continue
    if (tenant !== undefined && rows.tenantAt(position) !== tenant) continue
    events.push(rows.at(position))
  }
  return { events, lastPosition: position - step, headPosition }
}
