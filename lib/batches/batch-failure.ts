import { asEdictError, BatchFailedError, type EdictError } from '../errors.ts'
import type { BatchEntry } from './batch-entry.ts'

/** Whose failure it is that a batch fails by. */
export class BatchFailure extends Error {
  override readonly name = 'BatchFailure'
  readonly entry: BatchEntry
  /** What the command failed with. */
  readonly own: EdictError
  /** What the caller of the batch is told. */
  readonly told: BatchFailedError

  constructor(entry: BatchEntry, index: number, thrown: unknown, tookEffect = false) {
    super('a command of a batch failed')
    this.entry = entry
    this.own = asEdictError(thrown, 'the batch')
    const { command, commandId, scheduledBy } = entry
    const isScheduled = scheduledBy !== undefined
    this.told = new BatchFailedError({ command: command.type, commandId, index, isScheduled, tookEffect }, this.own)
  }
}
