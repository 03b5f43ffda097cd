import type { ContextSource } from '../dispatch/command-context.ts'
import type { EventSource } from '../dispatch/new-events.ts'
import type { ResolvedOptions } from '../dispatch/options.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import type { Metadata } from '../messages/recorded-event.ts'

const IN_MESSAGES = Object.freeze({ type: 'the unit of work', data: undefined })

/** Where the events of a unit come from that no command began: its own id stands for that of a command. */
export class UnitSource implements EventSource {
  readonly command = undefined
  readonly commandId: string
  readonly causationId: string
  readonly correlationId: string
  readonly metadata: Metadata
  readonly tenant: string | undefined
  readonly now: number
  readonly options: ResolvedOptions

  constructor({ ids, clock }: DispatchServices, options: ResolvedOptions) {
    this.commandId = ids.next()
    this.causationId = options.causationId ?? this.commandId
    this.correlationId = options.correlationId ?? this.commandId
    this.metadata = options.metadata
    this.tenant = options.tenant
    this.now = clock.now()
    this.options = options
  }

  /** As user code sees it; `bound` ends with the time that it has. */
  asContext(bound?: { readonly signal: AbortSignal }): ContextSource {
    const { commandId, causationId, correlationId, metadata, tenant, now } = this
    return {
      ...{ commandId, causationId, correlationId, metadata, tenant, now, command: IN_MESSAGES },
      // Made for those alone who look at it.
      get signal() {
        return bound?.signal ?? new AbortController().signal
      },
    }
  }
}
