import type { DispatchingHandler } from '../dispatch/consistency-board.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Command } from '../messages/message.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { carriedOptions } from './carried-options.ts'

/**
 * How a handler's commands reach the application. The options carry the causation and correlation of the event already.
 * `handler` is the one that dispatches, which must not wait for itself.
 */
export type DispatchFromHandler = (
  command: unknown,
  options: DispatchOptions,
  handler: DispatchingHandler,
) => Promise<ExecutionResult>

/** What a handler may know and do beside the event. */
export interface EventHandlerContext<State = undefined> {
  /**
   * Dispatches a command in the application of the handler. Its causation id is the event's id, its correlation id that of
   * the event, and the event's metadata is carried on under what the call says. With strong consistency it waits for all handlers but this one, and but those that wait for this one themselves, in
   * a dispatch of their own in this process: neither would ever go on.
   */
  readonly dispatch: (command: Command, options?: DispatchOptions) => Promise<ExecutionResult>
  /** Aborts when the handler is stopped. */
  readonly signal: AbortSignal
  /** The application's name. */
  readonly application: string
  readonly handlerName: string
  /** How often this event has been given to the handler since it started, from 1. */
  readonly attempt: number
  /**
   * What `initialState` gave when the handler started on this node, or what was put here since. It is gone when the handler stops, and each
   * partition has its own.
   */
  state: State
}

/** What all contexts of one running handler share. */
export interface HandlerSurroundings {
  readonly application: string
  readonly handlerName: string
  readonly signal: AbortSignal
  readonly dispatch: DispatchFromHandler
  /** The handler's transient state. */
  readonly state: { current: unknown }
  /** @default nobody is told */
  readonly telemetry?: Telemetry | undefined
}

/** One for each delivery. What needs a closure is made only when it is asked for. */
export class DeliveryContext implements EventHandlerContext<unknown> {
  readonly attempt: number
  readonly #surroundings: HandlerSurroundings
  readonly #recorded: RecordedEvent

  constructor(surroundings: HandlerSurroundings, recorded: RecordedEvent, attempt: number) {
    this.#surroundings = surroundings
    this.#recorded = recorded
    this.attempt = attempt
  }

  get application(): string {
    return this.#surroundings.application
  }

  get handlerName(): string {
    return this.#surroundings.handlerName
  }

  get signal(): AbortSignal {
    return this.#surroundings.signal
  }

  get state(): unknown {
    return this.#surroundings.state.current
  }

  set state(state: unknown) {
    this.#surroundings.state.current = state
  }

  get dispatch(): EventHandlerContext['dispatch'] {
    const { dispatch, handlerName } = this.#surroundings
    const recorded = this.#recorded
    const handler = { handlerName, position: recorded.position }
    return (command, options) => dispatch(command, carriedOptions(recorded, options), handler)
  }
}
