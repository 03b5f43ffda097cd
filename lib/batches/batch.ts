import { backoffDelay } from '../effects/backoff.ts'
import { pause } from '../effects/clock.ts'
import type { Random } from '../effects/ids.ts'
import { Executed } from '../dispatch/executed.ts'
import { commandInfo } from '../dispatch/observed-execution.ts'
import { synchronousEvents } from '../dispatch/synchronous-events.ts'
import {
  asEdictError,
  describeThrown,
  StreamClosedError,
  UniqueValueTakenError,
  VersionConflictError,
  type EdictError,
} from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { outcomeOf } from '../telemetry/dispatch-outcome.ts'
import type { Unit } from '../unit-of-work/unit.ts'
import type { Committed } from '../unit-of-work/unit-commit.ts'
import { takerOf } from '../unit-of-work/unit-reservations.ts'
import type { BatchEntry } from './batch-entry.ts'
import { BatchFailure } from './batch-failure.ts'
import { BatchPass, type BatchPassParts } from './batch-pass.ts'
import { outcomesOf, type CommandOutcome } from './command-outcome.ts'
import type { DispatchTurn } from './dispatch-turns.ts'
import { storedEvents, type StoredEvents } from './entry-events.ts'

const NOTHING: StoredEvents = { made: [], recorded: [] }

/** Milliseconds: the first wait after a conflict, and the longest. */
const CONFLICT_BACKOFF = { base: 2, longest: 200 }

export interface BatchParts extends BatchPassParts {
  readonly random: Random
  readonly retryAttempts: number
  /** Of one command by itself, or of a batch that is known again. What is done after the commit has no part in it. */
  readonly turn: DispatchTurn | undefined
}

interface Committal {
  /** None, where it turned out that the batch committed before. */
  readonly pass?: BatchPass
  readonly events?: readonly RecordedEvent[]
  readonly outcomes: readonly CommandOutcome[]
}

/** Commands in one transaction, one after another: all of them, or none. */
export class Batch {
  readonly #parts: BatchParts
  #isOver = false
  /** What made it run again. */
  #conflict: VersionConflictError | undefined

  constructor(parts: BatchParts) {
    this.#parts = parts
  }

  /** Whether what its commands start belongs to nobody any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  async run(): Promise<readonly CommandOutcome[]> {
    const { queue, services, turn, limit, isDispatch } = this.#parts
    const counts = services.telemetry.counts.dispatches
    try {
      // Those batches that come in time may find out by their commits which of them was first.
      if (isDispatch || limit.isLate) await turn?.comes
      const { pass, outcomes, events = [] } = await this.#untilCommitted()
      this.#end()
      for (const [index, entry] of queue.entries.entries()) {
        const outcome = outcomes[index]
        if (outcome !== undefined) entry.settle?.resolve(outcome.result)
        counts.executed++
      }
      if (pass !== undefined) await this.#afterCommit(pass, events)
      return outcomes
    } catch (thrown) {
      this.#end()
      const error: EdictError = thrown instanceof BatchFailure ? thrown.told : asEdictError(thrown, 'the batch')
      for (const entry of queue.entries) {
        const own = thrown instanceof BatchFailure && thrown.entry === entry ? thrown.own : error
        entry.settle?.reject(own)
        counts[outcomeOf(own)]++
      }
      throw error
    }
  }

  /** Nobody waits for it, or hears more of it, but those who sent its commands. */
  #end(): void {
    this.#isOver = true
    this.#parts.turn?.leave()
    // They ran, and were not scheduled again when the batch ran again.
    for (const entry of this.#parts.queue.dropped) entry.settle?.reject(this.#conflict as VersionConflictError)
  }

  async #untilCommitted(): Promise<Committal> {
    const { services, random, queue, limit, marker } = this.#parts
    for (let failures = 1; ; failures++) {
      const pass = new BatchPass(this.#parts)
      try {
        await pass.run(this)
        if (pass.repeated !== undefined) return { outcomes: pass.repeated }
        limit.fence()
        const committed = await pass.unit.commit(marker?.appends(queue.entries, queue.given, pass.unit.roots))
        limit.through()
        return { pass, events: committed.events, outcomes: this.#outcomes(pass, committed) }
      } catch (error) {
        if (!(error instanceof VersionConflictError)) throw this.#named(error, pass.unit)
        this.#conflict = error
        limit.again()
        if (!this.#mayRetry(error, failures)) throw this.#named(await pass.unit.asToldOf(error), pass.unit)
      } finally {
        pass.unit.rollBack()
      }
      await pause(services.clock, backoffDelay(CONFLICT_BACKOFF, failures, random))
      limit.fence()
      queue.again()
    }
  }

  /** What the commit failed by, as the failure of the last command that changed the aggregate which it is about. */
  #named(error: unknown, unit: Unit): unknown {
    const { queue, isDispatch } = this.#parts
    if (isDispatch) return error
    const root =
      error instanceof UniqueValueTakenError
        ? takerOf(error)
        : error instanceof VersionConflictError || error instanceof StreamClosedError
          ? unit.rootOf(error.streamId)
          : undefined
    const source = root?.runs.at(-1)?.source
    const index = queue.entries.findIndex((entry) => entry === source)
    const entry = queue.entries[index]
    return entry === undefined ? error : new BatchFailure(entry, index, error)
  }

  /** A conflict that a command met by itself is its failure; this one is the commit's. */
  #mayRetry({ streamId, expected, actual }: VersionConflictError, failures: number): boolean {
    const { queue, services, retryAttempts } = this.#parts
    const retried = failures <= retryAttempts && queue.entries.every(takesAnyVersion)
    const [first] = queue.entries
    if (first !== undefined) {
      const conflict = { ...commandInfo(first), streamId, expected, actual, retried }
      services.telemetry.tell('dispatch:conflict', conflict)
    }
    return retried
  }

  #outcomes({ unit }: BatchPass, committed: Committed): readonly CommandOutcome[] {
    const { queue, services } = this.#parts
    const stored = storedEvents(committed)
    const { eventProcessing } = services
    const resultOf = (entry: BatchEntry): ExecutionResult => {
      // It has run.
      const ran = entry.provisional as ExecutionResult
      const events = Object.freeze(stored.get(entry)?.recorded ?? [])
      const result = new Executed(ran, ran.aggregateVersion, events, ran.metadata, ran.aggregateState, ran.reply)
      const { lifespan } = entry.plan
      const root = lifespan && unit.rootOf(result.streamId)
      if (lifespan && root) services.lifespans.afterResult(root.instance, lifespan, entry.command, result)
      return result
    }
    return outcomesOf(queue.entries, resultOf, (entry) => {
      const { made, recorded } = stored.get(entry) ?? NOTHING
      return synchronousEvents(made, recorded, eventProcessing)
    })
  }

  /** Nobody takes back what is committed: a failure is told, and that is all. */
  async #afterCommit({ afterCommit, runs }: BatchPass, events: readonly RecordedEvent[]): Promise<void> {
    const { services, isDryRun } = this.#parts
    if (isDryRun) return
    for (const run of runs) await run.committed({ events, position: events.at(-1)?.position ?? 0 })
    for (const { workflow, work } of afterCommit) {
      try {
        await work()
      } catch (error) {
        const what = `what the workflow ${workflow} does after the commit failed: ${describeThrown(error)}`
        services.logger.error({ err: error, workflow }, what)
      }
    }
  }
}

function takesAnyVersion({ options }: BatchEntry): boolean {
  return options.expectedVersion === undefined
}
