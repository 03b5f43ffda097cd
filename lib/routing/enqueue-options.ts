import type { DispatchOptions } from './dispatch-options.ts'

/**
 * The lane of a queued command. All that is due in a higher lane is begun before anything of a lower one; `'low'` is for back-fills, which
 * give way to live commands between any two of theirs.
 */
export type Priority = 'high' | 'normal' | 'low'

/** What a command that is stored and run later may choose. What it does not say is settled where it is run. */
export interface EnqueueOptions extends Omit<DispatchOptions, 'signal'> {
  /**
   * Says that it is the same command, whoever sends it: the same key and payload is answered with the first command, while that one
   * waits or runs too, and with another payload refused. A command that came to nothing may be sent again. Unique within a tenant.
   */
  readonly idempotencyKey?: string
  /** @default 'normal' */
  readonly priority?: Priority
  /** Not to be run before: a Date, or milliseconds since 1970-01-01T00:00:00Z, by the store's clock. */
  readonly notBefore?: Date | number
  /** Milliseconds from now, by the store's clock; in the place of `notBefore`. */
  readonly delay?: number
  /**
   * Later commands of its aggregate wait while it waits for its next attempt, or is a dead letter.
   * @default what `queue.order` of the application says
   */
  readonly strict?: boolean
}

/** What `process` takes: where the command is run now, `notBefore` and `delay` have no sense; where it is run later, `signal` has none. */
export interface ProcessOptions<Asynchronous extends boolean | undefined = boolean | undefined> extends EnqueueOptions {
  /** True: later, by a worker. False: now. @default `commandProcessing` of the application */
  readonly asynchronous?: Asynchronous
  readonly signal?: AbortSignal
}
