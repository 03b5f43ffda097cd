import { isLater } from '../effects/maybe-promise.ts'
import { systemClock } from '../effects/clock.ts'
import {
  asEdictError,
  DispatchTooDeepError,
  ReentrantDispatchError,
  type EdictError,
  UnregisteredCommandError,
  ValidationError,
} from '../errors.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { outcomeOf } from '../telemetry/dispatch-outcome.ts'
import { identityText } from '../routing/identity.ts'
import type { DispatchingHandler } from './consistency-board.ts'
import { Execution } from './execution.ts'
import type { FollowedCommands } from './followed-commands.ts'
import { Journey } from './journey.ts'
import { ObservedDispatch } from './observed-dispatch.ts'
import { resolveOptions, type ResolvedOptions } from './options.ts'
import { ReservingExecution } from './reserving-execution.ts'
import { refusalInDryRun, runningHere, type RunningHandler } from './running-handler.ts'
import { executionsOf } from './unit-executions.ts'
import type { RoutePlan } from './route-plan.ts'
import type { DispatchServices } from './services.ts'
import type { Way } from './way.ts'

/** A command whose way is known, and which nobody has begun. */
export interface PreparedDispatch {
  readonly command: SealedMessage
  readonly plan: RoutePlan
  readonly options: ResolvedOptions
  readonly aggregateId: string
}

/** Validate, route, middleware, execute, wait: a command's way from the call to the answer. */
export class Dispatcher {
  readonly #services: DispatchServices
  readonly #plans: ReadonlyMap<string, RoutePlan>
  /** With the machine's own clock, one reading of it serves the event and the event loop. */
  readonly #realTime: boolean
  /** What goes another way, where workflows follow commands inside their transactions. */
  followed: FollowedCommands | undefined
  /** Commands of one type often follow one another. */
  #lastPlan: RoutePlan | undefined
  /**
   * Never read. A collection of garbage that finds no execution and no result alive makes V8 forget their shapes, and the code that
   * it has optimized for them: a server that pauses would begin its next burst at half its speed.
   */
  readonly #keptAlive: { execution: Execution | undefined; answer: unknown } = {
    execution: undefined,
    answer: undefined,
  }
  /** Dispatches that could not be answered at once. */
  #pending = 0
  readonly #idleListeners: (() => void)[] = []

  constructor(services: DispatchServices, plans: ReadonlyMap<string, RoutePlan>) {
    this.#services = services
    this.#plans = plans
    this.#realTime = services.clock === systemClock
  }

  /**
   * `dispatchingHandler` is the event handler that dispatches; it is not waited for, since it would wait for itself.
   */
  dispatch(
    command: unknown,
    options: DispatchOptions | undefined,
    dispatchingHandler?: DispatchingHandler,
  ): Promise<ExecutionResult> {
    const { followed } = this
    if (followed?.isFollowed(command)) return this.during(followed.dispatch(command, options, dispatchingHandler))
    const services = this.#services
    let execution: Execution | undefined
    try {
      const plan = this.planOf(command)
      const sealed = command as SealedMessage
      const resolved = options === undefined ? plan.defaults : resolveOptions(plan.defaults, options)
      if (resolved.depth > services.maxDepth) {
        throw new DispatchTooDeepError(sealed.type, resolved.depth, services.maxDepth)
      }
      const awaited = services.board.resolve(resolved.consistency)
      const aggregateId = identityText(plan.identityOf(sealed), plan.identityName)
      const now = services.clock.now()
      if (plan.route.unit !== undefined) {
        execution = executionsOf(plan.route.unit)?.(services, plan, sealed, resolved, aggregateId, now)
      }
      execution ??=
        plan.model.unique === undefined
          ? new Execution(services, plan, sealed, resolved, aggregateId, now)
          : new ReservingExecution(services, plan, sealed, resolved, aggregateId, now)
      if (execution.dispatchedFrom !== undefined) refuseInDryRun(sealed.type, execution.dispatchedFrom, services)
      const { watched } = services.telemetry
      // Without middleware and without a wait, the execution is the whole way.
      const isWhole = plan.chain === undefined && awaited.length === 0 && !watched.dispatch
      let way: Way = isWhole ? execution : new Journey(services, execution, awaited, dispatchingHandler)
      if (watched.dispatch) way = new ObservedDispatch(services.telemetry, execution, way)
      const alone = isWhole ? execution : undefined
      // Whoever waits for it has begun, and may hold what others wait for: it is not to stand behind those who have not.
      const isWithin = execution.dispatchedFrom !== undefined || dispatchingHandler !== undefined
      const { fairness } = services
      const time = this.#realTime ? now : undefined
      if (isWithin ? fairness.turnDue(time) : fairness.lineDue(time)) {
        const turn = isWithin ? fairness.turn() : fairness.inLine()
        return this.#underWay(
          turn.then(() => way.startLater()),
          alone,
          dispatchingHandler,
        )
      }
      const done = way.start()
      this.#keptAlive.execution = execution
      this.#keptAlive.answer = done
      const answer = Promise.resolve(done)
      if (isLater(done) || alone?.synchronous !== undefined) return this.#underWay(answer, alone, dispatchingHandler)
      services.telemetry.counts.dispatches.executed++
      return answer
    } catch (thrown) {
      const error = asEdictError(thrown, 'the dispatch')
      if (execution === undefined) this.refused(command, options, error)
      else services.telemetry.counts.dispatches[outcomeOf(error)]++
      return Promise.reject(error)
    }
  }

  /** Checks a command, and says where it goes, as `dispatch` does before it begins; what is wrong is thrown. */
  prepare(command: unknown, options: DispatchOptions | undefined): PreparedDispatch {
    const { board, maxDepth } = this.#services
    const plan = this.planOf(command)
    // A definition of this application made it.
    const sealed = command as SealedMessage
    refuseInDryRun(sealed.type, runningHere(), this.#services)
    const resolved = options === undefined ? plan.defaults : resolveOptions(plan.defaults, options)
    if (resolved.depth > maxDepth) throw new DispatchTooDeepError(sealed.type, resolved.depth, maxDepth)
    board.resolve(resolved.consistency)
    const aggregateId = identityText(plan.identityOf(sealed), plan.identityName)
    return { command: sealed, plan, options: resolved, aggregateId }
  }

  /** How a command of a type is dispatched; undefined where nobody registers it. */
  planFor(type: string): RoutePlan | undefined {
    return this.#plans.get(type)
  }

  /** Tells of what never became a dispatch. */
  refused(command: unknown, options: DispatchOptions | undefined, error: EdictError): void {
    const { commandId, correlationId, causationId } = (options as DispatchOptions | null) ?? {}
    const refusal = { command: typeOf(command) ?? 'unknown', commandId, correlationId, causationId, error }
    this.#services.telemetry.tell('dispatch:refuse', refusal)
  }

  /** How many dispatches are under way. */
  get pending(): number {
    return this.#pending
  }

  /** Some work that counts as under way, as a dispatch does. */
  during<Value>(work: Promise<Value>): Promise<Value> {
    this.#pending++
    return work.finally(this.#over)
  }

  readonly #over = (): void => {
    this.#pending--
    if (this.#pending === 0) for (const listener of this.#idleListeners.splice(0)) listener()
  }

  /** Resolves when no dispatch is under way. */
  idle(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idleListeners.push(resolve)
    })
  }

  /** `alone` is an execution that was the whole way: whether its events have to be waited for is known when they are stored. */
  #underWay(
    result: Promise<ExecutionResult>,
    alone?: Execution,
    dispatchingHandler?: DispatchingHandler,
  ): Promise<ExecutionResult> {
    this.#pending++
    return result.then(
      (value) => {
        if (alone?.synchronous !== undefined) {
          const journey = new Journey(this.#services, alone, NOBODY, dispatchingHandler)
          return this.#underWay(journey.throughHandlers(value)).finally(() => this.#over())
        }
        this.#over()
        this.#services.telemetry.counts.dispatches.executed++
        return value
      },
      (thrown: unknown) => {
        this.#over()
        const error = asEdictError(thrown, 'the dispatch')
        this.#services.telemetry.counts.dispatches[outcomeOf(error)]++
        throw error
      },
    )
  }

  /**
   * The way of a command.
   *
   * @throws {EdictError} where a value is no command of the application
   */
  planOf(command: unknown): RoutePlan {
    const definition = SealedMessage.definitionOf(command)
    if (definition === undefined) throw notMade(command)
    if (definition === this.#lastPlan?.route.command) return this.#lastPlan
    const plan = this.#plans.get(definition.type)
    if (plan !== undefined && plan.route.command === definition) {
      this.#lastPlan = plan
      return plan
    }
    const { applicationName, logger } = this.#services
    const error =
      definition.kind === 'event'
        ? new ValidationError(definition.type, [
            { message: 'it is an event, and only commands are dispatched', path: [] },
          ])
        : new UnregisteredCommandError(
            plan === undefined
              ? `no router of the application ${applicationName} registers the command ${definition.type}`
              : `the application ${applicationName} registers another definition of the type ${definition.type}`,
          )
    logger.error({ command: definition.type, code: error.code }, error.message)
    throw error
  }
}

function refuseInDryRun(type: string, handler: RunningHandler | undefined, services: DispatchServices): void {
  const refusal = refusalInDryRun(type, handler, services)
  if (refusal !== undefined) throw new ReentrantDispatchError(refusal)
}

const NOBODY: readonly never[] = Object.freeze([])

function typeOf(command: unknown): string | undefined {
  const type = (command as { readonly type?: unknown } | null | undefined)?.type
  return typeof type === 'string' ? type : undefined
}

function notMade(command: unknown): ValidationError {
  const name = typeOf(command) ?? 'the command'
  return new ValidationError(name, [
    {
      message:
        'it was not made by a command definition: call the definition, or router.parse(…) for what comes from outside',
      path: [],
    },
  ])
}
