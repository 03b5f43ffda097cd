import type { HandlerModel } from './handler-model.ts'
import type { HandlerState } from './handler-control.ts'
import { HandlerRunner } from './handler-runner.ts'
import type { RunnerOptions, RunnerPartition } from './runner-options.ts'

export interface PartitionOptions extends Omit<RunnerPartition, 'progress'> {
  /** Called with where it was before. */
  readonly progressed: (before: number) => void
  readonly failed: (error: unknown) => void
}

/** One partition of a handler: worked with by this node, by another one, or, for a moment, by none. */
export class Partition {
  readonly checkpoint: string
  readonly #runner: HandlerRunner
  #position = 0
  #isHeld = false
  #hasFailed = false

  constructor(model: HandlerModel, shared: RunnerOptions, options: PartitionOptions) {
    const { progressed, failed, ...own } = options
    this.checkpoint = own.checkpoint
    this.#runner = new HandlerRunner(model, {
      ...shared,
      partition: {
        ...own,
        progress: {
          begun: () => undefined,
          acknowledge: (position) => {
            const before = this.#position
            this.note(position)
            progressed(before)
          },
          failed: (error) => {
            this.#isHeld = false
            this.#hasFailed = true
            failed(error)
          },
          stopped: () => {
            this.#isHeld = false
          },
        },
      },
    })
  }

  /** Whether this node has it. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Whether this node may take it: one that failed here is not tried again before the handler is started again. */
  get isFree(): boolean {
    return !this.#isHeld && !this.#hasFailed
  }

  /** Undefined where this node has nothing to do with it. */
  get state(): HandlerState | undefined {
    if (this.#hasFailed) return 'failed'
    return this.#isHeld ? this.#runner.state : undefined
  }

  /** Every event of its own up to here was handled, by whichever node: its checkpoint may be further, and wrong. */
  get handledUpTo(): number {
    return this.#position
  }

  get position(): number {
    return this.#isHeld ? Math.max(this.#position, this.#runner.position) : this.#position
  }

  get lastError(): unknown {
    return this.#runner.lastError
  }

  get failures(): number {
    return this.#runner.failures
  }

  /** It is known to be as far as this, whoever has it. */
  note(position: number): void {
    if (position > this.#position) this.#position = position
  }

  /** The handler is started again. */
  forgive(): void {
    this.#hasFailed = false
  }

  /** Tries to take it; `isHeld` tells whether it could. */
  async start(): Promise<void> {
    this.#isHeld = true
    await this.#runner.start()
  }

  giveUp(): Promise<void> {
    return this.#runner.giveUp()
  }

  stop(): Promise<void> {
    return this.#runner.stop()
  }
}
