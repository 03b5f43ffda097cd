import type { Decision } from '../aggregate/decision.ts'
import type { ExecutionContext } from '../aggregate/execution-context.ts'
import { isRejection } from '../aggregate/rejection.ts'
import type { VersionedState } from '../aggregate/hydrate.ts'
import type { Instance } from '../aggregate/instance.ts'
import type { EventSource } from '../dispatch/new-events.ts'
import {
  CommandFailedError,
  CommandRejectedError,
  InvalidOutcomeError,
  UnreadableEventError,
  UnregisteredCommandError,
} from '../errors.ts'
import { SealedMessage } from '../messages/sealed-message.ts'

/** Events of one command that follow each other in a stream. */
export interface EventRun {
  readonly source: EventSource
  /** The version of the first one. */
  readonly from: number
  readonly events: SealedMessage[]
}

/** An aggregate in a unit of work: how it was loaded, and what has become of it since. Nothing of that is stored yet. */
export class UnitRoot {
  readonly instance: Instance
  /** What its stream was at when it was loaded; 0 where it was not there. */
  readonly loadedVersion: number
  readonly loadedState: unknown
  readonly snapshotVersion: number
  /** Whether its events are to be stored. */
  added = false
  #state: unknown
  #pending = 0
  readonly #runs: EventRun[] = []
  /** Told of whose events it takes. */
  readonly #changedBy: (root: UnitRoot, source: EventSource) => void

  constructor(instance: Instance, loaded: VersionedState, changedBy: (root: UnitRoot, source: EventSource) => void) {
    this.instance = instance
    this.loadedVersion = loaded.version
    this.loadedState = loaded.state
    this.snapshotVersion = loaded.snapshotVersion ?? 0
    this.#state = loaded.state
    this.#changedBy = changedBy
  }

  get streamId(): string {
    return this.instance.streamId
  }

  /** With what happened since it was loaded. Frozen. */
  get state(): unknown {
    return this.#state
  }

  /** That of the state. */
  get version(): number {
    return this.loadedVersion + this.#pending
  }

  get isChanged(): boolean {
    return this.#pending > 0
  }

  /** What is to be stored, command by command, in the order in which it happened. */
  get runs(): readonly EventRun[] {
    return this.#runs
  }

  /**
   * Decides by the aggregate's own `execute`, on the state as it is now; what comes of it is kept.
   *
   * @throws {CommandRejectedError} with the rejection's code, and nothing is kept
   */
  execute(source: EventSource, command: unknown, context: ExecutionContext): Decision {
    const { model } = this.instance
    const definition = SealedMessage.definitionOf(command)
    if (definition === undefined || model.commands.get(definition.type) !== definition) {
      throw new UnregisteredCommandError(`${definition?.type ?? 'that'} is no command of ${model.name}`)
    }
    const who = `${model.name}.execute of ${definition.type}`
    // It was looked for by its definition.
    return this.settle(source, definition.type, who, () =>
      model.execute(this.#state, command as SealedMessage, context),
    )
  }

  /** Keeps what user code decides: an event, a list, nothing, a rejection, a multi. `who` says whose it is, for messages. */
  settle(source: EventSource, commandType: string, who: string, decide: () => unknown, mayReply = false): Decision {
    let decision
    try {
      decision = this.instance.model.settle(this.#state, decide(), who, mayReply)
    } catch (cause) {
      if (cause instanceof InvalidOutcomeError || cause instanceof UnreadableEventError) throw cause
      throw new CommandFailedError(who, cause)
    }
    if (isRejection(decision)) throw new CommandRejectedError(decision.code, commandType, decision.details)
    this.take(source, decision)
    return decision
  }

  /** Keeps a decision that was made on the state as it is now. */
  take(source: EventSource, { events, state }: Decision): void {
    if (events.length === 0) return
    const last = this.#runs.at(-1)
    if (last?.source === source) last.events.push(...events)
    else {
      this.#runs.push({ source, from: this.version + 1, events: [...events] })
      this.#changedBy(this, source)
    }
    this.#pending += events.length
    this.#state = state
  }
}
