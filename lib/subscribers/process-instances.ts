import { ProcessInstance } from './process-instance.ts'
import { processStateId } from './process-name.ts'

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
