import { ProcessAlreadyStartedError, ProcessNotStartedError } from '../errors.ts'
import type { Command, EventDefinition, MessageOf } from '../messages/message.ts'
import type { RecordedEvent, RecordedOf } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import { commandsOf } from '../subscribers/commands-of.ts'
import { routeOf } from '../subscribers/process-interest.ts'
import type { ProcessManagerModel } from '../subscribers/process-manager-model.ts'
import { processParkingKey } from '../subscribers/process-name.ts'
import { plainData } from '../subscribers/process-records.ts'
import { initialStateOf, stopsAfter } from '../subscribers/process-steps.ts'
import { ExpectationError, expectSame } from './expectation-error.ts'
import { followedEvent } from './followed-event.ts'
import { expectThrown, messages, type ThrownMatch } from './happened.ts'

/** Events that a process manager follows, made or recorded. */
export type FollowedEvent<Events extends readonly EventDefinition[]> =
  MessageOf<Events[number]> | RecordedOf<Events[number]>

/** A process manager with a past, which waits for an event. */
export interface GivenProcessManager<Events extends readonly EventDefinition[], State> {
  /** The event that comes. */
  when(event: FollowedEvent<Events>): ProcessOutcome<State>
}

/** What an event came to. Each expectation is a promise, which rejects where it is not met. */
export interface ProcessOutcome<State> {
  /** Just these commands, in this order, over all instances that the event concerns. */
  thenDispatches(...commands: readonly Command[]): Promise<void>
  /** The whole state after the event: of the one instance that it concerns, or of the one that is named. */
  thenState(state: State, instanceId?: string): Promise<void>
  /** The instance is over, and was not before: the one that the event concerns, or the one that is named. */
  thenStops(instanceId?: string): Promise<void>
  /** The event concerns no instance. */
  thenIgnores(): Promise<void>
  /** An exception: of this class, with this in its message, or with this code. */
  thenThrows(match?: ThrownMatch): Promise<void>
}

/** What an event came to: which instances it concerned, those of which tenant, and with which commands. */
interface Step {
  readonly ids: readonly string[]
  readonly tenant?: string | undefined
  readonly commands: readonly SealedMessage[]
}

interface Done {
  readonly step: Step
  readonly instances: ReadonlyMap<string, unknown>
  /** Those that ran before the event, or began with it. */
  readonly ran: ReadonlySet<string>
  readonly failure: { readonly error: unknown } | undefined
}

/** The body of `given(processManager, events)`. */
export class ManagedTest {
  readonly #model: ProcessManagerModel
  readonly #past: readonly unknown[]

  constructor(model: ProcessManagerModel, past: readonly unknown[]) {
    this.#model = model
    this.#past = past
  }

  when(event: unknown): ManagedOutcome {
    return new ManagedOutcome(this.#run(event), this.#model.name)
  }

  /** The past goes the same way; what it led to is nobody's business any more. */
  async #run(event: unknown): Promise<Done> {
    const run = new ProcessRun(this.#model)
    for (const [index, one] of this.#past.entries()) await run.handle(one, index + 1)
    const { instances } = run
    const ran = new Set(instances.keys())
    run.ran = ran
    try {
      const step = await run.handle(event, this.#past.length + 1)
      return { step, instances, ran, failure: undefined }
    } catch (error) {
      return { step: { ids: [], commands: [] }, instances, ran, failure: { error } }
    }
  }
}

/** The instances of a process manager, in memory, all of whose commands succeed. */
class ProcessRun {
  /** The states of those that run, by tenant and id. */
  readonly instances = new Map<string, unknown>()
  /** Told of those that have handled something. */
  ran: Set<string> | undefined
  readonly #model: ProcessManagerModel

  constructor(model: ProcessManagerModel) {
    this.#model = model
  }

  async handle(given: unknown, position: number): Promise<Step> {
    const { name, interestedByType, filter } = this.#model
    const event = followedEvent(given, position, filter)
    if (event === undefined) return { ids: [], commands: [] }
    const { tenant } = event
    const interest = interestedByType.get(event.type)?.(event.data, event)
    const { kind, strict, ids } = routeOf(`${name}'s interested of ${event.type}`, interest)
    const commands: SealedMessage[] = []
    for (const id of ids) {
      const key = processParkingKey(id, tenant)
      const runs = this.instances.has(key)
      if (strict && kind === 'start' && runs) throw new ProcessAlreadyStartedError(name, id)
      if (strict && kind === 'continue' && !runs) throw new ProcessNotStartedError(name, id)
      if (kind === 'stop') this.instances.delete(key)
      else commands.push(...(await this.#handleFor(id, key, event)))
    }
    return { ids, tenant, commands }
  }

  async #handleFor(id: string, key: string, event: RecordedEvent): Promise<readonly SealedMessage[]> {
    const { handleByType, apply, name } = this.#model
    const state = this.instances.has(key) ? this.instances.get(key) : initialStateOf(this.#model)
    const context = {
      instanceId: id,
      handlerName: name,
      application: 'test',
      attempt: 1,
      signal: new AbortController().signal,
    }
    const given = await handleByType.get(event.type)?.(state, event.data, event, context)
    const commands = commandsOf(name, event.type, given)
    const next = apply === undefined ? state : apply(state, event)
    this.ran?.add(key)
    if (stopsAfter(this.#model, commands, next, context)) {
      this.instances.delete(key)
      return commands
    }
    // As it would have to be stored.
    plainData(next, `the state of ${name}`)
    this.instances.set(key, next)
    return commands
  }
}

class ManagedOutcome {
  readonly #done: Promise<Done>
  readonly #name: string

  constructor(done: Promise<Done>, name: string) {
    this.#done = done
    this.#name = name
    // The expectations tell of it.
    done.catch(() => undefined)
  }

  async #succeeded(): Promise<Done> {
    const done = await this.#done
    if (done.failure) throw done.failure.error
    return done
  }

  async thenDispatches(...commands: readonly Command[]): Promise<void> {
    const { step } = await this.#succeeded()
    expectSame(messages(step.commands), messages(commands), `${this.#name} dispatched other commands`)
  }

  async thenState(state: unknown, instanceId?: string): Promise<void> {
    const { step, instances } = await this.#succeeded()
    const key = this.#keyOf(step, instanceId)
    const actual = instances.has(key) ? instances.get(key) : '(it does not run)'
    expectSame(actual, state, `${this.#name} ${key} has another state`)
  }

  async thenStops(instanceId?: string): Promise<void> {
    const { step, instances, ran } = await this.#succeeded()
    const key = this.#keyOf(step, instanceId)
    const what = `${this.#name} ${key} was expected to stop`
    if (instances.has(key)) throw new ExpectationError(what, '(it does not run)', instances.get(key))
    if (!ran.has(key)) throw new ExpectationError(`${what}, and did not run before`, { ran: [key] }, { ran: [...ran] })
  }

  async thenIgnores(): Promise<void> {
    const { step } = await this.#succeeded()
    expectSame(step.ids, [], `${this.#name} was expected to ignore the event`)
  }

  async thenThrows(match?: ThrownMatch): Promise<void> {
    const { step, failure } = await this.#done
    if (failure === undefined) {
      const what = `${this.#name} was expected to fail, and did not`
      throw new ExpectationError(what, { threw: match ?? 'an error' }, { dispatched: messages(step.commands) })
    }
    if (match !== undefined) expectThrown(failure.error, match, this.#name)
  }

  /** An instance belongs to the tenant of its events. */
  #keyOf({ ids, tenant }: Step, instanceId: string | undefined): string {
    const [only, second] = instanceId === undefined ? ids : [instanceId]
    if (only !== undefined && second === undefined) return processParkingKey(only, tenant)
    throw new ExpectationError(`${this.#name}: the event concerns ${ids.length} instances: say which one`, 'one', ids)
  }
}
