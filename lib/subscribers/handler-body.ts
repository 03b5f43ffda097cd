import type { HandlerControl } from './handler-control.ts'
import type { HandlerModel } from './handler-model.ts'
import type { RunnerOptions } from './runner-options.ts'

/** What an application sees of an event handler, which brings what runs it: an application without one does not carry it. */
export interface EventHandlerBody {
  readonly name: string
  readonly model: HandlerModel
  readonly makeRunner: (options: RunnerOptions) => HandlerControl
}

const bodies = new WeakMap<object, EventHandlerBody>()

export function keepHandlerBody(handler: object, body: EventHandlerBody): void {
  bodies.set(handler, body)
}

/** What `eventHandler` prepared; undefined where the value is no event handler. */
export function handlerBodyOf(handler: unknown): EventHandlerBody | undefined {
  return typeof handler === 'object' && handler !== null ? bodies.get(handler) : undefined
}
