import type { CheckpointHold } from '../event-store/checkpoint.ts'
import type { ProcessInstance } from './process-instance.ts'
import { NEW_PROCESS } from './process-record.ts'
import type { ProcessRecords } from './process-records.ts'

export interface ProcessEndingsOptions {
  readonly records: ProcessRecords
  /** The claim of the process manager; undefined where it is lost. */
  readonly hold: () => CheckpointHold | undefined
  readonly lost: () => void
  /** Nothing is kept of the instance any more. */
  readonly deleted: (instance: ProcessInstance) => void
  /** The instance is at work no more. */
  readonly free: (instance: ProcessInstance) => void
  readonly failed: (error: unknown, instance: ProcessInstance) => void
}

/**
 * The instances that are over, until what is kept of them is deleted. That is not at once: their earlier events may come again after
 * a crash, and must find that they were handled. When the store knows that all events up to the last one are handled, none comes.
 */
export class ProcessEndings {
  readonly #options: ProcessEndingsOptions
  readonly #positions = new Map<ProcessInstance, number>()

  constructor(options: ProcessEndingsOptions) {
    this.#options = options
  }

  add(instance: ProcessInstance, position: number): void {
    instance.isEnding = true
    this.#positions.set(instance, position)
  }

  /** It has been started again. */
  remove(instance: ProcessInstance): void {
    if (!instance.isEnding) return
    instance.isEnding = false
    this.#positions.delete(instance)
  }

  clear(): void {
    this.#positions.clear()
  }

  /** Called when the store knows that all events up to a position are handled. */
  deleteUpTo(position: number): Promise<void> | undefined {
    const due: Promise<void>[] = []
    for (const [instance, at] of this.#positions) {
      // One that is at work is perhaps being started again; if not, it is its turn the next time.
      if (at <= position && !instance.busy) due.push(this.#delete(instance))
    }
    return due.length === 0 ? undefined : Promise.all(due).then(() => undefined)
  }

  async #delete(instance: ProcessInstance): Promise<void> {
    const { records, hold, lost, deleted, free, failed } = this.#options
    const claim = hold()
    if (claim === undefined) return
    instance.busy = true
    try {
      if (await records.delete(instance.stateId, claim)) {
        instance.record = NEW_PROCESS
        this.remove(instance)
        deleted(instance)
      } else {
        lost()
      }
    } catch (error) {
      failed(error, instance)
    }
    free(instance)
  }
}
