import { isPromiseLike } from '../effects/maybe-promise.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { plainEnd } from '../telemetry/telemetry.ts'
import { DeliveryContext, type HandlerSurroundings } from './handler-context.ts'
import type { HandleEvent } from './handler-model.ts'

/** Gives an event to a handler's function. No closure, and no promise where the function gives none, while nobody wants to know of it. */
export function handled(
  handle: HandleEvent,
  recorded: RecordedEvent,
  surroundings: HandlerSurroundings,
  attempt: number,
): unknown {
  const context = new DeliveryContext(surroundings, recorded, attempt)
  const { telemetry, handlerName } = surroundings
  if (telemetry?.watched.handle !== true) return handle(recorded.data, recorded, context)
  const work = (): unknown => {
    const answer = handle(recorded.data, recorded, context)
    return isPromiseLike(answer) ? Promise.resolve(answer) : answer
  }
  return telemetry.around('handle', { handlerName, event: recorded, attempt }, work, plainEnd)
}
