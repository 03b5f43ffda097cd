import type { Decision } from '../aggregate/decision.ts'
import { isRejection, type Rejection } from '../aggregate/rejection.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { CommandFailedError, InvalidOutcomeError, UnreadableEventError, type UniqueValueTakenError } from '../errors.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { BoundedTurn } from './bounded-turn.ts'
import { CommandContext, type ContextSource } from './command-context.ts'
import type { ResolvedOptions } from './options.ts'
import type { RoutePlan } from './route-plan.ts'
import type { RunningHandler } from './running-handler.ts'
import type { DispatchServices } from './services.ts'

/** The part of a command's turn that is the user's code: from a state to a decision. It knows nothing of the store. */
export abstract class DecidingTurn extends BoundedTurn implements ContextSource {
  readonly command: SealedMessage
  readonly plan: RoutePlan
  readonly aggregateId: string
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly dispatchedFrom: RunningHandler | undefined
  /** What will be stored with each event; middleware may add to it. */
  metadata: Metadata
  /** For whom it is done; middleware may say. */
  tenant: string | undefined
  protected readonly services: DispatchServices
  protected inUserCode = false

  constructor(
    services: DispatchServices,
    plan: RoutePlan,
    command: SealedMessage,
    options: ResolvedOptions,
    aggregateId: string,
    now: number,
  ) {
    super(services, options, now)
    this.command = command
    this.services = services
    this.plan = plan
    this.aggregateId = aggregateId
    this.commandId = options.commandId ?? services.ids.next()
    this.causationId = options.causationId ?? this.commandId
    this.correlationId = options.correlationId ?? this.commandId
    this.metadata = options.metadata
    this.tenant = options.tenant
    this.dispatchedFrom = services.handling?.current()
  }

  /** The decision has events to append. */
  protected abstract decided(decision: Decision): MaybePromise<ExecutionResult>
  /** The decision is a rejection, or appends nothing. */
  protected abstract unchanged(decision: Decision | Rejection | UniqueValueTakenError): MaybePromise<ExecutionResult>

  /** Runs the user's code on the state of the instance: what may keep the command from running, then the command. */
  protected decide(): MaybePromise<ExecutionResult> {
    return this.plan.route.beforeExecute === undefined ? this.execute() : this.#beforeExecute()
  }

  #beforeExecute(): MaybePromise<ExecutionResult> {
    const who = `beforeExecute of ${this.command.type}`
    let admitted: MaybePromise<unknown>
    const { beforeExecute } = this.plan.route
    this.inUserCode = true
    try {
      admitted = this.asHandler(() => beforeExecute?.(this.held.state, new CommandContext(this)))
    } catch (cause) {
      throw new CommandFailedError(who, cause)
    } finally {
      this.inUserCode = false
    }
    if (!isPromiseLike(admitted)) return this.#admitted(admitted)
    return Promise.resolve(admitted).then(
      (outcome) => {
        this.fence()
        return this.#admitted(outcome)
      },
      (cause: unknown) => {
        throw new CommandFailedError(who, cause)
      },
    )
  }

  #admitted(outcome: unknown): MaybePromise<ExecutionResult> {
    if (isRejection(outcome)) return this.unchanged(outcome)
    if (outcome !== undefined) {
      throw new InvalidOutcomeError(`beforeExecute of ${this.command.type} must give nothing or reject(…)`)
    }
    return this.execute()
  }

  protected execute(): MaybePromise<ExecutionResult> {
    const { route, model, executorName } = this.plan
    const { state } = this.held
    const context = new CommandContext(this)
    let outcome: unknown
    this.inUserCode = true
    try {
      if (route.handler === undefined) outcome = model.execute(state, this.command, context)
      else outcome = this.#handle(route.handler, state, context)
    } catch (cause) {
      throw new CommandFailedError(executorName, cause)
    } finally {
      this.inUserCode = false
    }
    if (route.handler === undefined || !isPromiseLike(outcome)) return this.#settle(outcome)
    return Promise.resolve(outcome).then(
      (settled) => {
        this.fence()
        return this.#settle(settled)
      },
      (cause: unknown) => {
        throw new CommandFailedError(executorName, cause)
      },
    )
  }

  #handle(handler: NonNullable<RoutePlan['route']['handler']>, state: unknown, context: CommandContext): unknown {
    const { data } = this.command
    return this.asHandler(() => handler(state, data, context))
  }

  /** Runs user code that may dispatch, so that a dispatch to its own aggregate is seen. */
  protected asHandler(work: () => unknown, handler: RunningHandler = this): unknown {
    const { handling } = this.services
    return handling === undefined ? work() : handling.run(handler, work)
  }

  #settle(outcome: unknown): MaybePromise<ExecutionResult> {
    const { model, executorName, route } = this.plan
    const instance = this.held
    let decision: Decision | Rejection
    this.inUserCode = true
    try {
      decision = model.settle(instance.state, outcome, executorName, route.handler !== undefined)
    } catch (cause) {
      if (cause instanceof InvalidOutcomeError || cause instanceof UnreadableEventError) throw cause
      throw new CommandFailedError(executorName, cause)
    } finally {
      this.inUserCode = false
    }
    if (isRejection(decision) || decision.events.length === 0) return this.unchanged(decision)
    return this.decided(decision)
  }
}
