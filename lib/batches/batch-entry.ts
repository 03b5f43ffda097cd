import type { BoardHandler } from '../dispatch/consistency-board.ts'
import type { CommandPipeline, PipedExecution } from '../dispatch/command-pipeline.ts'
import type { ContextSource } from '../dispatch/command-context.ts'
import type { EventSource } from '../dispatch/new-events.ts'
import type { ResolvedOptions } from '../dispatch/options.ts'
import type { RoutePlan } from '../dispatch/route-plan.ts'
import type { EdictError } from '../errors.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { ScheduleCommands } from '../routing/scheduling.ts'

/** Who put a command into the queue of a batch. */
export interface ScheduledBy {
  readonly kind: 'command-handler' | 'workflow'
  /** The type of the command, or the workflow's name. */
  readonly name: string
  /** The command that it came of. */
  readonly parent: BatchEntry
}

export interface BatchEntryOptions {
  readonly plan: RoutePlan
  readonly command: SealedMessage
  readonly options: ResolvedOptions
  readonly commandId: string
  readonly correlationId: string
  readonly aggregateId: string
  readonly awaited: readonly BoardHandler[]
  readonly scheduledBy: ScheduledBy | undefined
  readonly signal: () => AbortSignal
  readonly now: number
}

/** One command in a batch: what is known of it, and what became of it so far. */
export class BatchEntry implements PipedExecution, ContextSource, EventSource {
  readonly plan: RoutePlan
  readonly command: SealedMessage
  readonly options: ResolvedOptions
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly aggregateId: string
  readonly scheduledBy: ScheduledBy | undefined
  /** How many commands of the batch led to it. */
  readonly cascade: number
  /** The handlers that are waited for, unless middleware says something else. */
  readonly boardHandlers: readonly BoardHandler[]
  /** What middleware sees is not committed yet; false where it committed before. */
  isProvisional = true
  metadata: Metadata
  tenant: string | undefined
  timeout: number
  now: number
  begun = false
  /** It went through its middleware, which sees it once, however often the batch is run. */
  passed = false
  pipeline: CommandPipeline | undefined
  /** What it came to when it ran last; its events have no position yet. */
  provisional: ExecutionResult | undefined
  /** Those that it, or a workflow because of it, scheduled before: a run of the same commands takes up their ids again. */
  readonly children: BatchEntry[] = []
  /** How many of them were scheduled in this run. */
  scheduled = 0
  /** While its command handler runs. */
  executeCommands: ScheduleCommands | undefined
  settle: { resolve(result: ExecutionResult): void; reject(error: EdictError): void } | undefined
  readonly #signal: () => AbortSignal

  constructor(given: BatchEntryOptions) {
    const { plan, command, options, scheduledBy } = given
    this.plan = plan
    this.command = command
    this.options = options
    this.commandId = given.commandId
    this.correlationId = given.correlationId
    this.causationId = options.causationId ?? given.commandId
    this.aggregateId = given.aggregateId
    this.scheduledBy = scheduledBy
    this.cascade = scheduledBy === undefined ? 0 : scheduledBy.parent.cascade + 1
    this.boardHandlers = given.awaited
    this.metadata = options.metadata
    this.tenant = options.tenant
    this.timeout = options.timeout
    this.now = given.now
    this.#signal = given.signal
  }

  get signal(): AbortSignal {
    return this.#signal()
  }

  get awaited(): readonly BoardHandler[] {
    return this.pipeline?.awaited ?? this.boardHandlers
  }

  /** Begins anew, in a fresh unit. */
  again(now: number): void {
    this.now = now
    this.scheduled = 0
    this.provisional = undefined
  }
}
