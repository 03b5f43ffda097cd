import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { HeldEvent } from './events-in-hand.ts'
import { CommandIds } from './process-command-id.ts'
import type { ProcessRoute } from './process-interest.ts'
import { processParkingKey, processStateId } from './process-name.ts'

/** A command with its place among those of its event. */
export interface PlannedCommand {
  readonly key: string
  readonly command: SealedMessage
}

/** The commands of an event, once `onError` has changed them: kept, so that it is not asked again when the event comes again. */
export interface CommandPlan {
  readonly position: number
  readonly index: number
  readonly commands: readonly PlannedCommand[]
}

/** What is kept of an instance. */
export interface ProcessRecord {
  /** `new` where it has handled nothing yet; `over` where it was stopped, and may be started again. */
  readonly status: 'new' | 'running' | 'over'
  readonly state: unknown
  /** The last event that it has handled. */
  readonly position: number
  readonly index: number
  readonly plan: CommandPlan | undefined
}

export const NEW_PROCESS: ProcessRecord = Object.freeze({
  status: 'new',
  state: undefined,
  position: 0,
  index: 0,
  plan: undefined,
})

/** An event that an instance is to handle. */
export interface ProcessTask {
  readonly recorded: RecordedEvent
  readonly route: ProcessRoute
  /** Undefined where it was parked, and is replayed. */
  readonly held: HeldEvent | undefined
  /** Told of a replay: whether it could be begun, or what it failed with. */
  readonly replay?: { resolve(handled: boolean): void; reject(error: unknown): void }
}

/** An instance in memory: what is known of it, and what waits for it. */
export class ProcessInstance {
  readonly id: string
  readonly tenant: string | undefined
  /** Under which its state is kept. */
  readonly stateId: string
  /** Under which its events are parked. */
  readonly parkingKey: string
  readonly commandIds: CommandIds
  /** Undefined where it has not been read. */
  record: ProcessRecord | undefined
  readonly tasks: ProcessTask[] = []
  /** It is at work, or waits for its turn. */
  busy = false
  /** It is over, and what is kept of it is still to be deleted. */
  isEnding = false
  /** When it was last at work. */
  usedAt = 0

  constructor(name: string, id: string, tenant: string | undefined) {
    this.id = id
    this.tenant = tenant
    this.stateId = processStateId(name, id, tenant)
    this.parkingKey = processParkingKey(id, tenant)
    this.commandIds = new CommandIds(this.stateId)
  }
}

/** Instances in memory, the least recently used of which give way; one that is at work stays. */
export class ProcessInstances {
  readonly #capacity: number
  /** That of the process manager. */
  readonly #name: string
  // A map keeps the order in which its keys came in: an instance that is used goes to the end.
  readonly #byId = new Map<string, ProcessInstance>()

  constructor(capacity: number, name: string) {
    this.#capacity = capacity
    this.#name = name
  }

  get size(): number {
    return this.#byId.size
  }

  obtain(id: string, tenant: string | undefined): ProcessInstance {
    const stateId = processStateId(this.#name, id, tenant)
    const known = this.#byId.get(stateId)
    if (known !== undefined) {
      this.#byId.delete(stateId)
      this.#byId.set(stateId, known)
      return known
    }
    const made = new ProcessInstance(this.#name, id, tenant)
    this.#byId.set(stateId, made)
    return made
  }

  /** Called when one has ended its work, so that no more are kept than may be. */
  trim(): void {
    if (this.#byId.size <= this.#capacity) return
    for (const instance of this.#byId.values()) {
      if (!instance.busy && !instance.isEnding) this.#byId.delete(instance.stateId)
      if (this.#byId.size <= this.#capacity) return
    }
  }

  /** Lets go of those that have not been at work since a moment. When the next one is due; undefined where there is none. */
  unload(usedBefore: number): number | undefined {
    for (const instance of this.#byId.values()) {
      if (instance.busy || instance.isEnding) continue
      if (instance.usedAt > usedBefore) return instance.usedAt
      this.#byId.delete(instance.stateId)
    }
    return undefined
  }

  /** Nothing is kept of it: it is as one that never was. */
  forget(instance: ProcessInstance): void {
    if (instance.tasks.length === 0 && this.#byId.get(instance.stateId) === instance)
      this.#byId.delete(instance.stateId)
  }

  clear(): void {
    this.#byId.clear()
  }
}
