import type { Result } from '../effects/result.ts'
import type { EdictError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Command } from '../messages/message.ts'
import type { CommandReceipt } from '../routing/command-receipt.ts'
import type { EnqueueOptions } from '../routing/enqueue-options.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { DeliveryContext, type EventHandlerContext, type HandlerSurroundings } from './handler-context.ts'

/** What a handler of batches may know and do beside the events. */
export interface BatchHandlerContext<State = undefined> extends Omit<
  EventHandlerContext<State>,
  'dispatch' | 'tryDispatch' | 'enqueue' | 'through'
> {
  /** Dispatches a command for one event of the batch, whose ids and metadata the command carries on, as `dispatch` of a single event does. */
  readonly dispatch: (recorded: RecordedEvent, command: Command, options?: DispatchOptions) => Promise<ExecutionResult>
  /** As `dispatch`, with a result for rejections, timeouts and version conflicts. Everything else still rejects. */
  readonly tryDispatch: (
    recorded: RecordedEvent,
    command: Command,
    options?: DispatchOptions,
  ) => Promise<Result<ExecutionResult, EdictError>>
  /** Stores a command for one event of the batch, to be run later, as `enqueue` of a single event does. */
  readonly enqueue: (recorded: RecordedEvent, command: Command, options?: EnqueueOptions) => Promise<CommandReceipt>
}

/** One for each delivery of a batch. */
export class BatchDeliveryContext implements BatchHandlerContext<unknown> {
  readonly attempt: number
  readonly #surroundings: HandlerSurroundings

  constructor(surroundings: HandlerSurroundings, attempt: number) {
    this.#surroundings = surroundings
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

  get dispatch(): BatchHandlerContext['dispatch'] {
    return (recorded, command, options) => this.#forOne(recorded).dispatch(command, options)
  }

  get tryDispatch(): BatchHandlerContext['tryDispatch'] {
    return (recorded, command, options) => this.#forOne(recorded).tryDispatch(command, options)
  }

  get enqueue(): BatchHandlerContext['enqueue'] {
    return (recorded, command, options) => this.#forOne(recorded).enqueue(command, options)
  }

  #forOne(recorded: RecordedEvent): DeliveryContext {
    return new DeliveryContext(this.#surroundings, recorded, this.attempt)
  }
}
