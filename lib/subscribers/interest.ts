import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { BoardEvent } from '../dispatch/consistency-board.ts'
import type { HandlerModel } from './handler-model.ts'

/**
 * Which events of its types a handler is interested in, for those who wait for it; undefined where in all. A selector that throws is a
 * failure of the handler, which is to be met at the event.
 */
export function interestOf(
  model: Pick<HandlerModel, 'filter' | 'selector'>,
): ((event: BoardEvent) => boolean) | undefined {
  const { streamId, category } = model.filter
  const { selector } = model
  if (streamId === undefined && category === undefined && selector === undefined) return undefined
  return (event) => {
    // What dispatches wait for is what they have recorded.
    const recorded = event as RecordedEvent
    if (streamId !== undefined && recorded.streamId !== streamId) return false
    if (category !== undefined && recorded.category !== category) return false
    if (selector === undefined) return true
    try {
      return selector(forAnotherReader(recorded))
    } catch {
      return true
    }
  }
}
