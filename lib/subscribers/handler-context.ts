import type { DispatchingHandler } from '../dispatch/consistency-board.ts'
import { tried } from '../dispatch/expected-failure.ts'
import type { Result } from '../effects/result.ts'
import type { EdictError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Command } from '../messages/message.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { CommandReceipt } from '../routing/command-receipt.ts'
import type { EnqueueOptions } from '../routing/enqueue-options.ts'
import type { CommandFor, DispatchFailure, ResultOf, RouteOf } from '../routing/registered-route.ts'
import type { Routed } from '../routing/routed.ts'
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

/** As `DispatchFromHandler`, for commands that are to be run later. */
export type EnqueueFromHandler = (command: unknown, options: EnqueueOptions) => Promise<CommandReceipt>

/** As the context's own `dispatch` and `tryDispatch`, for commands of one router, whose results they know. */
export interface RouterDispatch<Routes> {
  readonly dispatch: <Type extends string, Route = RouteOf<Routes, Type>>(
    command: CommandFor<Route, Type>,
    options?: DispatchOptions,
  ) => Promise<ResultOf<Route, Type>>
  readonly tryDispatch: <Type extends string, Route = RouteOf<Routes, Type>>(
    command: CommandFor<Route, Type>,
    options?: DispatchOptions,
  ) => Promise<Result<ResultOf<Route, Type>, DispatchFailure<Routes, Type>>>
}

/** What a handler may know and do beside the event. */
export interface EventHandlerContext<State = undefined> {
  /**
   * Dispatches a command in the application of the handler. Its causation id is the event's id, its correlation id and its tenant are those
   * of the event, it has no more time than to the deadline of the event's command, and the event's metadata is carried on under what the
   * call says. With strong consistency it waits for all handlers but this one, and but those that wait for this one themselves, in a
   * dispatch of their own in this process: neither would ever go on.
   */
  readonly dispatch: (command: Command, options?: DispatchOptions) => Promise<ExecutionResult>
  /** As `dispatch`, with a result for rejections, timeouts and version conflicts. Everything else still rejects. */
  readonly tryDispatch: (command: Command, options?: DispatchOptions) => Promise<Result<ExecutionResult, EdictError>>
  /**
   * Stores a command to be run later, with what `dispatch` carries on. The event may come again: give the command an id or a key, and it is
   * stored once.
   *
   * @example
   * handle: async ({ accountNumber }, { eventId }, { enqueue }) => {
   *   await enqueue(DepositMoney({ accountNumber, amount: 5 }), { commandId: `bonus-${eventId}` })
   * }
   */
  readonly enqueue: (command: Command, options?: EnqueueOptions) => Promise<CommandReceipt>
  /**
   * `dispatch` and `tryDispatch` that know the commands of a router, and what they give.
   *
   * @example
   * handle: async ({ accountNumber }, recorded, { through }) => {
   *   const { aggregateState } = await through(bankRouter).dispatch(DepositMoney({ accountNumber, amount: 5 }))
   *   …
   * }
   */
  readonly through: <Routes>(router: Routed<Routes>) => RouterDispatch<Routes>
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
  readonly enqueue: EnqueueFromHandler
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

  get tryDispatch(): EventHandlerContext['tryDispatch'] {
    const { dispatch } = this
    return (command, options) => tried(dispatch(command, options))
  }

  get enqueue(): EventHandlerContext['enqueue'] {
    const { enqueue } = this.#surroundings
    return async (command, options) => enqueue(command, { ...options, ...carriedOptions(this.#recorded, options) })
  }

  get through(): EventHandlerContext['through'] {
    const { dispatch, tryDispatch } = this
    // The router is there for its types: which commands there are is looked up when they are dispatched.
    return <Routes>() => ({ dispatch, tryDispatch }) as unknown as RouterDispatch<Routes>
  }
}
