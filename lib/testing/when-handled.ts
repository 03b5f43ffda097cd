import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { refusePromise } from '../effects/refuse-promise.ts'
import { DefinitionError, UnknownCommandError } from '../errors.ts'
import type { EventDefinition, Command, MessageOf } from '../messages/message.ts'
import type { RecordedEvent, RecordedOf } from '../messages/recorded-event.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
import type { CommandReceipt } from '../routing/command-receipt.ts'
import type { EnqueueOptions } from '../routing/enqueue-options.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { EventHandler } from '../subscribers/event-handler.ts'
import { BatchDeliveryContext } from '../subscribers/batch-context.ts'
import type { Batching } from '../subscribers/batching.ts'
import { DeliveryContext, type HandlerSurroundings } from '../subscribers/handler-context.ts'
import { handlerBodyOf } from '../subscribers/handler-body.ts'
import type { HandlerModel } from '../subscribers/handler-model.ts'
import { expectSame } from './expectation-error.ts'
import { followedEvent } from './followed-event.ts'
import { expectThrown, messages, type ThrownMatch } from './happened.ts'

/** What the handler under test is told, and what its dispatches come to. */
export interface WhenHandledOptions {
  /**
   * What a dispatch of the handler resolves to; what it throws, the dispatch rejects with.
   * @default a result without events
   */
  readonly answer?: (command: Command, options: DispatchOptions) => MaybePromise<Partial<ExecutionResult> | undefined>
  /** The application's name, as the handler is told. @default 'test' */
  readonly application?: string
  /** How often each event has been given to the handler, as it is told. @default 1 */
  readonly attempt?: number
}

/** A command that a handler dispatched, or enqueued, with all options that it would have been dispatched with. */
export interface DispatchedCommand {
  readonly command: Command
  readonly options: DispatchOptions
}

/** What a handler did with the events that it was given. To await it is to wait until it has handled them all. */
export interface HandledEvents extends PromiseLike<readonly DispatchedCommand[]> {
  /** It dispatched just these commands, in this order. */
  thenDispatches(...commands: readonly Command[]): Promise<void>
  /** It failed: with an error of this class, with this in its message, or with this code. */
  thenThrows(match?: ThrownMatch): Promise<void>
}

const NO_RESULT: ExecutionResult = Object.freeze({
  aggregateId: '',
  streamId: '',
  aggregateVersion: 0,
  position: 0,
  events: [],
  metadata: {},
  // There is none to be looked at: a test that wants one says it.
  aggregateState: undefined as never,
  reply: undefined,
})

/**
 * Gives events, made or as `recorded` gives them, to an event handler, one after another, without an application and without a store.
 * Nothing is tried again: `onError` is not asked. What is recorded elsewhere than the handler's `subscribeTo` says is not given to it.
 *
 * @example
 * import { whenHandled } from 'edict/testing'
 *
 * const welcome = eventHandler('welcome', {
 *   events: [AccountOpened],
 *   handle: async ({ accountNumber }, _recorded, { dispatch }) => {
 *     await dispatch(DepositMoney({ accountNumber, amount: 10 }))
 *   },
 * })
 * await whenHandled(welcome, [AccountOpened({ accountNumber: 'ACC123', initialBalance: 5 })]).thenDispatches(
 *   DepositMoney({ accountNumber: 'ACC123', amount: 10 }),
 * )
 *
 * @throws {DefinitionError} `invalid_definition` where it is no event handler
 */
export function whenHandled<const Events extends readonly EventDefinition[]>(
  handler: EventHandler<string, Events>,
  events: readonly (MessageOf<Events[number]> | RecordedOf<Events[number]>)[],
  options: WhenHandledOptions = {},
): HandledEvents {
  const model = handlerBodyOf(handler)?.model
  if (model === undefined) throw new DefinitionError('whenHandled(handler, events) needs an eventHandler(…)')
  if (!Array.isArray(events)) throw new DefinitionError('whenHandled(handler, events) needs a list of events')
  const past = events.flatMap((event, index) => followedEvent(event, index + 1, model.filter) ?? [])
  const run = new HandlerRun(model, options)
  return new Handled(run.handle(past), handler.name)
}

/** What became of the events: what the handler dispatched, and what it failed with. */
interface Done {
  readonly dispatched: readonly DispatchedCommand[]
  readonly failure: { readonly error: unknown } | undefined
}

class HandlerRun {
  readonly #model: HandlerModel
  readonly #options: WhenHandledOptions
  readonly #dispatched: DispatchedCommand[] = []
  readonly #surroundings: HandlerSurroundings

  constructor(model: HandlerModel, options: WhenHandledOptions) {
    this.#model = model
    this.#options = options
    this.#surroundings = {
      application: options.application ?? 'test',
      handlerName: model.name,
      signal: new AbortController().signal,
      dispatch: (command, dispatchOptions) => this.#dispatch(command as Command, dispatchOptions),
      enqueue: (command, enqueueOptions) => this.#enqueue(command as Command, enqueueOptions),
      state: { current: refusePromise(model.initialState?.(), `the handler ${model.name}: initialState`) },
    }
  }

  async handle(events: readonly RecordedEvent[]): Promise<Done> {
    try {
      const { selector, batching } = this.#model
      const wanted = selector === undefined ? events : events.filter(selector)
      if (batching === undefined) for (const event of wanted) await this.#handleOne(event)
      else await this.#handleBatches(batching, wanted)
      return { dispatched: this.#dispatched, failure: undefined }
    } catch (error) {
      return { dispatched: this.#dispatched, failure: { error } }
    }
  }

  async #handleBatches({ handle, size }: Batching, events: readonly RecordedEvent[]): Promise<void> {
    for (let first = 0; first < events.length; first += size) {
      const context = new BatchDeliveryContext(this.#surroundings, this.#options.attempt ?? 1)
      await handle(events.slice(first, first + size), context)
    }
  }

  #handleOne(event: RecordedEvent): unknown {
    const handle = this.#model.handleByType.get(event.type)
    return handle?.(event.data, event, new DeliveryContext(this.#surroundings, event, this.#options.attempt ?? 1))
  }

  async #dispatch(command: Command, options: DispatchOptions): Promise<ExecutionResult> {
    this.#note(command, options)
    return this.#answer(command, options)
  }

  async #enqueue(command: Command, options: EnqueueOptions): Promise<CommandReceipt> {
    this.#note(command, options)
    return receiptOf(this.#dispatched.length, options, () => this.#answer(command, options))
  }

  #note(command: Command, options: DispatchOptions): void {
    if (SealedMessage.definitionOf(command)?.kind !== 'command') {
      throw new DefinitionError(`${this.#model.name} dispatched what is no command that its definition made`)
    }
    this.#dispatched.push({ command, options })
  }

  async #answer(command: Command, options: DispatchOptions): Promise<ExecutionResult> {
    const answer = this.#options.answer?.(command, options)
    return { ...NO_RESULT, ...(isPromiseLike(answer) ? await answer : answer) }
  }
}

/** Nobody runs it: what there is to be known of it, a test has said. */
function receiptOf(
  position: number,
  { commandId = `enqueued-${position}` }: EnqueueOptions,
  answer: Answer,
): CommandReceipt {
  const unknown = () => Promise.reject(new UnknownCommandError(commandId))
  return { commandId, position, status: unknown, cancel: () => Promise.resolve(false), completed: answer }
}

type Answer = CommandReceipt['completed']

class Handled implements HandledEvents {
  readonly #done: Promise<Done>
  readonly #name: string

  constructor(done: Promise<Done>, name: string) {
    this.#done = done
    this.#name = name
  }

  then<Resolved = readonly DispatchedCommand[], Rejected = never>(
    resolve?: ((dispatched: readonly DispatchedCommand[]) => Resolved | PromiseLike<Resolved>) | null,
    reject?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Resolved | Rejected> {
    return this.#succeeded().then(resolve, reject)
  }

  async #succeeded(): Promise<readonly DispatchedCommand[]> {
    const { dispatched, failure } = await this.#done
    if (failure) throw failure.error
    return dispatched
  }

  async thenDispatches(...commands: readonly Command[]): Promise<void> {
    const dispatched = (await this.#succeeded()).map(({ command }) => command)
    expectSame(messages(dispatched), messages(commands), `${this.#name} dispatched other commands`)
  }

  async thenThrows(match?: ThrownMatch): Promise<void> {
    const { dispatched, failure } = await this.#done
    const did = messages(dispatched.map(({ command }) => command))
    if (failure === undefined) {
      expectSame({ dispatched: did }, { threw: match ?? 'an error' }, `${this.#name} was expected to fail, and did not`)
    } else if (match !== undefined) expectThrown(failure.error, match, this.#name)
  }
}
