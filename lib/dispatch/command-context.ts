import { ImmutableDate } from '../messages/immutable.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { BeforeExecuteContext } from '../routing/route.ts'

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
}
