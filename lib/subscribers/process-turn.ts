import { backoffDelay } from '../effects/backoff.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { ProcessAlreadyStartedError, ProcessNotStartedError, StoreError } from '../errors.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import { plainEnd } from '../telemetry/telemetry.ts'
import { commandsOf } from './commands-of.ts'
import { described } from './described.ts'
import { ProcessAttempt } from './process-attempt.ts'
import { CommandSequence, type CommandTurn } from './process-commands.ts'
import type { ProcessFailure, ProcessManagerContext } from './process-context.ts'
import type { ProcessInstance, ProcessTask } from './process-instance.ts'
import type { PlannedCommand, ProcessRecord } from './process-record.ts'
import type { ProcessServices } from './process-services.ts'
import { initialStateOf, stopsAfter } from './process-steps.ts'

/** Milliseconds: the first wait before the store is tried again, and the longest. */
const STORE_BACKOFF = { base: 100, longest: 10_000 }

/** One event, handled by one instance: handle, dispatch, apply, store; and again where that fails. */
export class ProcessTurn implements CommandTurn {
  readonly services: ProcessServices
  readonly instance: ProcessInstance
  readonly recorded: RecordedEvent
  /** What `onError` leaves for the next failure. */
  readonly assigns: Record<string, unknown> = {}
  readonly #task: ProcessTask
  #during: 'routing' | 'event' = 'event'

  constructor(services: ProcessServices, instance: ProcessInstance, task: ProcessTask) {
    this.services = services
    this.instance = instance
    this.recorded = task.recorded
    this.#task = task
  }

  /** Whether what failed is a replay of a parked event: then it stays parked. */
  get isReplay(): boolean {
    return this.#task.held === undefined
  }

  /** Whether the event is handled, skipped or parked. Rejects where a replay fails. */
  async run(): Promise<boolean> {
    const { services, instance, recorded } = this
    const { parking, discarded } = services
    for (let failures = 0; ; failures++) {
      const holds = services.mayGoOn()
      if (holds !== true && !(await holds)) return false
      if (!this.isReplay && discarded.has(instance.parkingKey, recorded)) return true
      if (parking.size > 0 && parking.has(instance.parkingKey) && !this.isReplay) {
        const isParked = await this.#persistently(async () => parking.park(instance.parkingKey, recorded, undefined))
        if (isParked === true) this.#tell('park', undefined, 0)
        if (isParked !== false) return isParked ?? false
      }
      try {
        return await this.#once(failures + 1)
      } catch (error) {
        if (this.isReplay) throw error
        const handled = await this.#recover(error, failures + 1)
        if (handled !== undefined) return handled
      }
    }
  }

  /** No closure while nobody wants to know of it. */
  #once(number: number): MaybePromise<boolean> {
    const { telemetry, model } = this.services
    if (telemetry?.watched.process !== true) return this.#inTime(number)
    const { instance, recorded } = this
    const info = { processManager: model.name, instanceId: instance.id, event: recorded, attempt: number }
    return telemetry.around('process', info, () => this.#inTime(number), plainEnd)
  }

  #inTime(number: number): Promise<boolean> {
    const { services, instance, recorded } = this
    const { eventTimeout, name } = services.model
    const attempt = new ProcessAttempt(number, services.signal)
    this.#during = 'event'
    if (eventTimeout === undefined) return this.#attempt(attempt)
    const what = `${described(recorded)}, of ${name} ${instance.id},`
    return attempt.within(services.clock, eventTimeout, what, () => this.#attempt(attempt))
  }

  /** Whether the event counts as handled; undefined where it is tried again. */
  async #recover(error: unknown, failures: number): Promise<boolean | undefined> {
    const { services, recorded, instance } = this
    // A stop is no failure, and whoever has lost the place has no say any more.
    if (!(await services.mayGoOn())) return false
    const { record } = instance
    const failure: ProcessFailure = {
      during: this.#during,
      recorded: forAnotherReader(recorded),
      instanceId: instance.id,
      state: record?.status === 'running' ? (record.state as object) : undefined,
    }
    const action = await this.decide(error, failure, failures)
    if (!(await services.mayGoOn())) return false
    // A command's own actions are not among those of an event.
    if (!('action' in action) || action.action === 'stop') {
      services.failed(error, recorded)
      return false
    }
    if (action.action === 'skip') {
      this.skipped(error, failures)
      services.log('warn', error, recorded, `skips ${described(recorded)} for ${instance.id}`)
      return this.#skip()
    }
    if (action.action === 'park') return this.park(error, failures)
    const delay = services.failures.delay(action, failures)
    this.warnOfRetry(error, described(recorded), failures, delay)
    return (await services.pause(delay)) ? undefined : false
  }

  decide(error: unknown, failure: ProcessFailure, failures: number) {
    const { services, instance, recorded, assigns } = this
    services.troubled(instance, failures)
    return services.failures.decide(error, failure, failures, assigns, (fault) => {
      services.log('error', fault.error, recorded, fault.what)
    })
  }

  /** Sets the event aside, with all that comes after it for the instance. False where the place is lost. */
  async park(error: unknown, attempts: number): Promise<boolean> {
    const { services, recorded, instance } = this
    const parked = await this.#persistently(async () =>
      services.parking.park(instance.parkingKey, recorded, { error, attempts }),
    )
    if (parked === undefined) return false
    this.#tell('park', error, attempts)
    services.log('warn', error, recorded, `parks ${described(recorded)} for ${instance.id}`)
    services.parked()
    return true
  }

  skipped(error: unknown, failures: number): void {
    this.#tell('skip', error, failures)
  }

  #tell(what: 'skip' | 'park', error: unknown, failures: number): void {
    const { services, recorded } = this
    services.telemetry?.tell(`handler:${what}`, { handlerName: services.model.name, event: recorded, error, failures })
  }

  warnOfRetry(error: unknown, what: string, failures: number, delay: number): void {
    const { services, recorded, instance } = this
    const trouble = { handlerName: services.model.name, event: recorded, error, failures }
    services.telemetry?.tell('handler:retry', { ...trouble, delay })
    services.log(
      'warn',
      error,
      recorded,
      `failed at ${what} for ${instance.id}, and tries again in ${Math.round(delay)} ms`,
    )
  }

  async #attempt(attempt: ProcessAttempt): Promise<boolean> {
    const { services, instance, recorded } = this
    const { model } = services
    const { route } = this.#task
    const record = instance.record ?? (await this.#read(attempt))
    if (record === undefined || attempt.isOver()) return false
    if (isHandled(record, recorded)) {
      if (isToDelete(record)) services.isOver(instance, record.position)
      return true
    }
    const runs = record.status === 'running'
    if (route.strict) this.#checkStrictly(runs)
    const { position, index } = recorded
    if (route.kind === 'stop') {
      const over: ProcessRecord = { status: 'over', state: undefined, position, index, plan: undefined }
      return runs ? this.#write(attempt, over) : true
    }
    const state = runs ? record.state : initialStateOf(model)
    const context = new TurnContext(this, attempt)
    const commands = this.#plan(record) ?? (await this.#handle(state, context))
    const dispatched =
      commands.length === 0 ? commands : await new CommandSequence(this, attempt, record, state).run(commands)
    if (dispatched === undefined || attempt.isOver()) return false
    if (dispatched === 'parked') return true
    const next: unknown = model.apply === undefined ? state : model.apply(state, recorded)
    const done = dispatched.map(({ command }) => command)
    const status = stopsAfter(model, done, next, context) ? 'over' : 'running'
    return this.#write(attempt, {
      ...{ status, state: status === 'over' ? undefined : next, position, index, plan: undefined },
    })
  }

  #checkStrictly(runs: boolean): void {
    const { kind } = this.#task.route
    this.#during = 'routing'
    const { name } = this.services.model
    if (kind === 'start' && runs) throw new ProcessAlreadyStartedError(name, this.instance.id)
    if (kind === 'continue' && !runs) throw new ProcessNotStartedError(name, this.instance.id)
    this.#during = 'event'
  }

  /** What was decided for this event before, by `onError`, in an earlier life perhaps. */
  #plan({ plan }: ProcessRecord): readonly PlannedCommand[] | undefined {
    const { position, index } = this.recorded
    return plan?.position === position && plan.index === index ? plan.commands : undefined
  }

  async #handle(state: unknown, context: ProcessManagerContext): Promise<readonly PlannedCommand[]> {
    const { model } = this.services
    const recorded = forAnotherReader(this.recorded)
    const handle = model.handleByType.get(recorded.type)
    if (handle === undefined) return NO_COMMANDS
    const given = handle(state, recorded.data, recorded, context)
    return planned(commandsOf(model.name, recorded.type, isPromiseLike(given) ? await given : given))
  }

  /** The event counts as handled, also when it comes again, and changes nothing. */
  async #skip(): Promise<boolean> {
    const { instance, recorded, services } = this
    const { record } = instance
    // What cannot be read is not written over; what is routed wrongly is so again.
    if (record === undefined || (record.status !== 'running' && this.#during === 'routing')) return true
    const { position, index } = recorded
    const attempt = new ProcessAttempt(1, services.signal)
    const status = record.status === 'running' ? 'running' : 'over'
    return this.#write(attempt, { ...record, status, position, index, plan: undefined })
  }

  async #read(attempt: ProcessAttempt): Promise<ProcessRecord | undefined> {
    const { records, commands } = this.services
    const record = await this.#persistently(() => records.read(this.instance, commands), attempt)
    // Another attempt has gone on from there meanwhile.
    if (record === undefined || attempt.isOver()) return undefined
    return (this.instance.record = record)
  }

  /** Keeps what was decided about the commands of the event, before it takes effect. False where the place is lost. */
  async keepPlan(
    attempt: ProcessAttempt,
    record: ProcessRecord,
    commands: readonly PlannedCommand[],
  ): Promise<boolean> {
    const { position, index } = this.recorded
    const isKept = await this.#write(attempt, { ...record, plan: { position, index, commands } })
    attempt.goOn()
    return isKept
  }

  async #write(attempt: ProcessAttempt, record: ProcessRecord): Promise<boolean> {
    const { services, instance } = this
    if (attempt.isOver()) return false
    // It is decided: no other attempt may begin while it is being written, since the later write would be the older one.
    attempt.pause()
    const hold = services.hold()
    if (hold === undefined) return false
    if (!isToDelete(record)) services.goesOn(instance)
    const written = await this.#persistently(() => services.records.write(instance, record, hold))
    if (written === undefined) return false
    if (!written) {
      services.lost()
      return false
    }
    instance.record = record
    if (isToDelete(record)) services.isOver(instance, record.position)
    return true
  }

  /** A store that does not answer is one that comes back. Undefined where the process manager is stopped, or loses its place, meanwhile. */
  async #persistently<Answer>(work: () => Promise<Answer>, attempt?: ProcessAttempt): Promise<Answer | undefined> {
    const { services, instance, recorded } = this
    for (let failures = 1; ; failures++) {
      try {
        if (failures > 1 && (attempt?.isOver() === true || !(await services.mayGoOn()))) return undefined
        return await work()
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        services.log('warn', error, recorded, `cannot reach the state of ${instance.id}, and tries again`)
        if (!(await services.pause(backoffDelay(STORE_BACKOFF, failures, services.random)))) return undefined
      }
    }
  }
}

const NO_COMMANDS: readonly PlannedCommand[] = Object.freeze([])

function isHandled(record: ProcessRecord, { position, index }: RecordedEvent): boolean {
  return record.position > position || (record.position === position && record.index >= index)
}

/** One that is over, but has a plan, is being started again: without its plan, what was given up would take effect as well. */
function isToDelete({ status, plan }: ProcessRecord): boolean {
  return status === 'over' && plan === undefined
}

function planned(commands: readonly SealedMessage[]): readonly PlannedCommand[] {
  return commands.map((command, at) => ({ key: String(at), command }))
}

class TurnContext implements ProcessManagerContext {
  readonly instanceId: string
  readonly handlerName: string
  readonly application: string
  readonly #attempt: ProcessAttempt

  constructor({ instance, services }: ProcessTurn, attempt: ProcessAttempt) {
    this.instanceId = instance.id
    this.handlerName = services.model.name
    this.application = services.application
    this.#attempt = attempt
  }

  get attempt(): number {
    return this.#attempt.number
  }

  get signal(): AbortSignal {
    return this.#attempt.signal
  }
}
