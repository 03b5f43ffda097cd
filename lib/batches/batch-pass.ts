import type { AsyncScope } from '../effects/async-scope.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { CommandPipeline } from '../dispatch/command-pipeline.ts'
import { commandInfo, executionEnd } from '../dispatch/observed-execution.ts'
import { handlingScope, refusalOfChange, type RunningHandler } from '../dispatch/running-handler.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { DuplicateCommandError, ReentrantDispatchError } from '../errors.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { CommittedBeforeSignal, Unit } from '../unit-of-work/unit.ts'
import type { UnitRun } from '../unit-of-work/unit-run.ts'
import type { BatchEntry } from './batch-entry.ts'
import { BatchFailure } from './batch-failure.ts'
import type { BatchLimit } from './batch-limit.ts'
import type { BatchMarker } from './batch-marker.ts'
import type { BatchQueue } from './batch-queue.ts'
import { synchronousAgain, type CommandOutcome } from './command-outcome.ts'
import { EarlierOutcomes } from './earlier-outcomes.ts'
import { executeEntry, ownRoot, repeatedEntry } from './entry-execution.ts'
import type { Foreground, ForegroundHost } from './foreground.ts'
import { processEntry } from './observed-entry.ts'

export interface BatchPassParts {
  readonly services: DispatchServices
  readonly foreground: Foreground
  readonly queue: BatchQueue
  readonly limit: BatchLimit
  /** Undefined where the caller gave no ids. */
  readonly marker: BatchMarker | undefined
  /** The batch that is running. */
  readonly scope: AsyncScope<object> | undefined
  readonly isDryRun: boolean
  /** Whether it is one command by itself. */
  readonly isDispatch: boolean
}

/** What a workflow does once the batch is committed. */
export interface AfterCommit {
  readonly workflow: string
  readonly work: () => MaybePromise<unknown>
}

/** One time through the queue, in a unit of its own. Nothing of it is stored yet. */
export class BatchPass {
  readonly unit: Unit
  readonly afterCommit: AfterCommit[] = []
  /** Of the command handlers that were given the unit. */
  readonly runs: UnitRun[] = []
  readonly #parts: BatchPassParts
  readonly #running: RunningHandler
  /** The stream of the command that is running, which its handler may not have loaded yet. */
  #ownStream: string | undefined
  readonly #earlier: EarlierOutcomes

  constructor(parts: BatchPassParts) {
    this.#parts = parts
    this.unit = new Unit(parts.services, parts.limit, { multipleAggregates: true })
    this.#earlier = new EarlierOutcomes(parts.queue.given, parts.marker)
    const { services } = parts
    const real = services.standsInFor ?? services
    const handling = (real.handling ??= handlingScope())
    services.handling = handling
    const dispatchedFrom = handling?.current()
    this.#running = {
      instance: undefined,
      dispatchedFrom,
      unitOfWork: dispatchedFrom?.unitOfWork,
      hasInBatch: (asking, streamId) => asking === real && !this.unit.isEnded && this.#has(streamId),
    }
  }

  #has(streamId: string): boolean {
    return streamId === this.#ownStream || this.unit.rootOf(streamId) !== undefined
  }

  /** What the batch came to, where it turned out that it committed before. */
  get repeated(): readonly CommandOutcome[] | undefined {
    return this.#earlier.outcomes
  }

  /**
   * The queue grows while it is gone through. Where the batch committed before, those that were given go through their middleware, around
   * what they came to then.
   *
   * @param batch whose turn it is
   * @throws {BatchFailure} which tells whose failure it is; the limit's own failure is nobody's in particular
   */
  async run(batch: object): Promise<void> {
    const { queue, limit, scope } = this.#parts
    const earlier = this.#earlier
    for (let index = 0; index < queue.entries.length; index++) {
      if (earlier.areKnown && index >= queue.given.length) return
      const entry = queue.entries[index] as BatchEntry
      limit.fence()
      try {
        const process = () => this.#process(entry)
        await (scope === undefined ? process() : scope.run(batch, process))
        queue.refuseBroken()
      } catch (thrown) {
        if (thrown === limit.failure || (earlier.failure !== undefined && thrown === earlier.failure)) throw thrown
        throw new BatchFailure(entry, index, queue.broken ?? thrown, earlier.areKnown)
      }
    }
  }

  async #process(entry: BatchEntry): Promise<void> {
    const { services } = this.#parts
    const { chain } = entry.plan
    const { handling } = services
    // Middleware is outside: it runs once, so that what it stores is there when the batch runs again.
    const execute = async () => {
      this.#refuseInBatch(entry)
      return handling === undefined ? this.#execute(entry) : handling.run(this.#running, () => this.#execute(entry))
    }
    if (entry.passed || chain === undefined) {
      entry.provisional = await processEntry(services, entry, execute)
    } else {
      const pipeline = new CommandPipeline(entry, services, entry.boardHandlers)
      entry.pipeline = pipeline
      const destination = { start: execute, startInTurn: execute }
      entry.provisional = await processEntry(services, entry, () => chain.run(pipeline, destination))
    }
    entry.passed = true
  }

  #refuseInBatch(entry: BatchEntry): void {
    const streamId = entry.plan.group.of(entry.tenant).prefix + entry.aggregateId
    const refusal = refusalOfChange(entry.command.type, this.#running.dispatchedFrom, this.#parts.services, streamId)
    if (refusal !== undefined) throw new ReentrantDispatchError(refusal)
    this.#ownStream = streamId
  }

  /** The command, and what workflows make of its events: middleware goes around both. */
  async #execute(entry: BatchEntry): Promise<ExecutionResult> {
    const { services, queue, foreground, limit } = this.#parts
    limit.fence()
    const before = await this.#earlier.of(entry)
    if (before !== undefined) {
      limit.through()
      return before
    }
    const { telemetry } = services
    const run = () => this.#runOrRepeat(entry)
    const result = await (telemetry.watched.execute
      ? telemetry.around('execute', { ...commandInfo(entry), metadata: entry.metadata }, run, executionEnd)
      : run())
    limit.fence()
    queue.refuseBroken()
    if (this.#earlier.areKnown) return result
    await foreground.run(services.codec.asRead(result.events), this.#hostFor(entry))
    queue.refuseBroken()
    return result
  }

  async #runOrRepeat(entry: BatchEntry): Promise<ExecutionResult> {
    const { queue, services, isDispatch, limit } = this.#parts
    try {
      if (limit.isLate) await ownRoot(this.unit, entry, 'lookAt')
      limit.refuseLate()
      return await executeEntry(
        {
          services,
          isDispatch,
          unit: this.unit,
          schedule: (parent, commands) => queue.fromHandler(parent, commands),
          ran: (run) => void this.runs.push(run),
        },
        entry,
      )
    } catch (error) {
      if (error instanceof CommittedBeforeSignal) return this.#repeat(entry, error)
      throw error
    }
  }

  /**
   * Somebody else may have committed this very batch meanwhile. One command that comes again by itself is answered as it was; of
   * others, nobody knows what became of the rest.
   */
  async #repeat(entry: BatchEntry, { found }: CommittedBeforeSignal): Promise<ExecutionResult> {
    const { services, queue, limit } = this.#parts
    const known = await this.#earlier.find()
    const own = known?.[queue.entries.indexOf(entry)]
    if (own === undefined && queue.entries.length > 1) {
      throw new DuplicateCommandError(entry.commandId, found.instance.streamId)
    }
    const result = own?.result ?? (await repeatedEntry(services, entry, found))
    const { command, commandId, awaited } = entry
    const synchronous = synchronousAgain(services, result)
    if (known === undefined) {
      this.#earlier.found({ type: command.type, commandId, scheduledBy: undefined, awaited, synchronous, result })
    }
    entry.isProvisional = false
    limit.through()
    return result
  }

  #hostFor(entry: BatchEntry): ForegroundHost {
    const { services, queue, limit, isDryRun } = this.#parts
    return {
      application: services.applicationName,
      isDryRun,
      signal: limit.signal,
      schedule: (workflow, event, commands) => queue.fromWorkflow(workflow, entry, event, commands),
      afterCommit: (workflow, work) => void this.afterCommit.push({ workflow, work }),
      fence: () => {
        limit.fence()
      },
    }
  }
}
