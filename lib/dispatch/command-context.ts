import { SchedulingRefusedError } from '../errors.ts'
import { ImmutableDate } from '../messages/immutable.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { BeforeExecuteContext } from '../routing/route.ts'
import type { ScheduleCommands } from '../routing/scheduling.ts'

/** What a context shows of an execution. */
export interface ContextSource {
  readonly command: { readonly type: string; readonly data: unknown }
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly metadata: Metadata
  readonly tenant: string | undefined
  readonly now: number
  readonly signal: AbortSignal
  /** Undefined where nobody would run what is scheduled. */
  readonly executeCommands?: ScheduleCommands | undefined
}

/**
 * What user code may know of the execution that it is part of. Getters, since most functions look at none of it: a Date and an
 * AbortController are made only for those who ask.
 */
export class CommandContext implements BeforeExecuteContext {
  readonly #source: ContextSource

  constructor(source: ContextSource) {
    this.#source = source
  }

  get command(): ContextSource['command'] {
    return this.#source.command
  }

  get commandId(): string {
    return this.#source.commandId
  }

  get correlationId(): string {
    return this.#source.correlationId
  }

  get causationId(): string {
    return this.#source.causationId
  }

  get metadata(): Metadata {
    return this.#source.metadata
  }

  get tenant(): string | undefined {
    return this.#source.tenant
  }

  get now(): Date {
    return new ImmutableDate(this.#source.now)
  }

  get signal(): AbortSignal {
    return this.#source.signal
  }

  /** Refused when it is called: whoever takes it out of the context need not use it. */
  get executeCommands(): ScheduleCommands {
    const { executeCommands, command } = this.#source
    if (executeCommands !== undefined) return executeCommands
    return () => {
      throw new SchedulingRefusedError(
        `${command.type} runs in no batch, so that nobody would run what its handler schedules: ` +
          'call executeCommands of the application, and not dispatch',
      )
    }
  }
}
