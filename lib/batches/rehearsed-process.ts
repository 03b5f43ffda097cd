import { isOfInterest, type Interest } from '../dispatch/board-entry.ts'
import { ProcessAlreadyStartedError, ProcessNotStartedError } from '../errors.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import { commandsOf } from '../subscribers/commands-of.ts'
import { interestOf } from '../subscribers/interest.ts'
import { routeOf, type ProcessRoute } from '../subscribers/process-interest.ts'
import type { ProcessManagerModel } from '../subscribers/process-manager-model.ts'
import { processStateId } from '../subscribers/process-name.ts'
import { ProcessRecordReader } from '../subscribers/process-records.ts'
import { initialStateOf, stopsAfter } from '../subscribers/process-steps.ts'
import type { RehearsedSender } from './dry-run.ts'

interface RehearsalServices {
  readonly applicationName: string
  readonly store: EventStore
  readonly codec: EventCodec
  readonly signal: AbortSignal
}

/** A process manager in a dry run: its pure functions, on the states that are stored and on those that would have come of them. */
export class RehearsedProcess implements RehearsedSender {
  readonly kind = 'process-manager'
  readonly name: string
  readonly #model: ProcessManagerModel
  readonly #services: RehearsalServices
  readonly #records: ProcessRecordReader
  /** The states of those that run, as far as the dry run has looked; undefined where one does not run. */
  readonly #states = new Map<string, { readonly state: unknown } | undefined>()
  readonly #interest: Interest

  constructor(model: ProcessManagerModel, services: RehearsalServices) {
    this.name = model.name
    this.#model = model
    this.#services = services
    this.#records = new ProcessRecordReader({ model, ...services })
    this.#interest = { types: model.types, selects: interestOf({ filter: model.filter, selector: undefined }) }
  }

  wants(event: RecordedEvent): boolean {
    return isOfInterest(this.#interest, event)
  }

  /** Each command is a dispatch of its own, as it will be. */
  async send(event: RecordedEvent): ReturnType<RehearsedSender['send']> {
    const { name, interestedByType } = this.#model
    const recorded = forAnotherReader(event)
    const interest = interestedByType.get(event.type)?.(recorded.data, recorded)
    const route = routeOf(`${name}'s interested of ${event.type}`, interest)
    const sent = []
    for (const instanceId of route.ids) {
      const sender = Object.freeze({ kind: this.kind, name, instanceId })
      const commands = await this.#handleFor(instanceId, route, recorded)
      sent.push(...commands.map((command) => ({ sender, commands: [command] })))
    }
    return sent
  }

  async #handleFor(
    instanceId: string,
    { kind, strict }: ProcessRoute,
    recorded: RecordedEvent,
  ): Promise<readonly SealedMessage[]> {
    const { name, handleByType, apply } = this.#model
    const stateId = processStateId(name, instanceId, recorded.tenant)
    const running = await this.#stateOf(stateId, recorded.tenant)
    if (strict && kind === 'start' && running) throw new ProcessAlreadyStartedError(name, instanceId)
    if (strict && kind === 'continue' && !running) throw new ProcessNotStartedError(name, instanceId)
    if (kind === 'stop') {
      this.#states.set(stateId, undefined)
      return []
    }
    const state = running ? running.state : initialStateOf(this.#model)
    const { applicationName: application, signal } = this.#services
    const context = { instanceId, handlerName: name, application, attempt: 1, signal }
    const given = await handleByType.get(recorded.type)?.(state, recorded.data, recorded, context)
    const commands = commandsOf(name, recorded.type, given)
    const next = apply === undefined ? state : apply(state, recorded)
    const stops = stopsAfter(this.#model, commands, next, context)
    this.#states.set(stateId, stops ? undefined : { state: next })
    return commands
  }

  async #stateOf(stateId: string, tenant: string | undefined): Promise<{ readonly state: unknown } | undefined> {
    if (this.#states.has(stateId)) return this.#states.get(stateId)
    const { status, state } = await this.#records.read({ stateId, tenant })
    return status === 'running' ? { state } : undefined
  }
}
