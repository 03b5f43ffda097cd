import { asyncScope, type AsyncScope } from '../effects/async-scope.ts'
import type { Random } from '../effects/ids.ts'
import type { DispatchingHandler } from '../dispatch/consistency-board.ts'
import { handlersBehind, readByHandlers } from '../dispatch/handlers-behind.ts'
import type { DispatchDefaults, RoutePlan } from '../dispatch/route-plan.ts'
import { refusalInDryRun, runningHere } from '../dispatch/running-handler.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import {
  BatchFailedError,
  InvalidOptionError,
  isEdictError,
  ReentrantDispatchError,
  type EdictError,
} from '../errors.ts'
import { mustAppendAtomically } from '../event-store/atomic-streams.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { Batch } from './batch.ts'
import type { BatchEntry } from './batch-entry.ts'
import { BatchLimit } from './batch-limit.ts'
import { BatchMarker } from './batch-marker.ts'
import { checkedBatchOptions, givenCommands } from './batch-options.ts'
import { BatchQueue } from './batch-queue.ts'
import type { BatchResult, BatchRunner, ScheduledResult } from './batch-type.ts'
import type { CommandOutcome } from './command-outcome.ts'
import { DispatchTurns, type DispatchTurn } from './dispatch-turns.ts'
import { entryMaker, type EntryMaker, type EntryOf } from './entry-maker.ts'
import type { Foreground } from './foreground.ts'

export interface BatchEngineParts {
  readonly services: DispatchServices
  readonly random: Random
  readonly defaults: DispatchDefaults
  /** By command type. */
  readonly plans: ReadonlyMap<string, RoutePlan>
  /** @throws {EdictError} where a value is no command of the application */
  readonly planOf: (command: unknown) => RoutePlan
  readonly foreground: Foreground
  readonly limits: { readonly maxDepth: number; readonly maxCommands: number }
  readonly isDryRun: boolean
}

/** For messages. */
const STORED = 'the batch'

/** What a batch was made of, for whoever wants to know more of it than its result. */
interface Prepared {
  readonly batch: Batch
  readonly limit: BatchLimit
  readonly queue: BatchQueue
  readonly consistencyTimeout: number
  readonly turn: DispatchTurn | undefined
}

/** Runs commands in transactions, for one application. */
export class BatchEngine implements BatchRunner {
  readonly #parts: BatchEngineParts
  readonly #scope: AsyncScope<Batch> | undefined = asyncScope()
  readonly #turns = new DispatchTurns()

  constructor(parts: BatchEngineParts) {
    this.#parts = parts
  }

  check(command: unknown): SealedMessage {
    const { services, planOf } = this.#parts
    return entryMaker(services, planOf, neverAborted)({ command, options: {} }).command
  }

  run(
    commands: readonly { readonly command: SealedMessage; readonly commandId: string }[],
    options: object,
    handler: DispatchingHandler,
  ): Promise<BatchResult> {
    const commandIds = commands.map(({ commandId }) => commandId)
    const sent = commands.map(({ command }) => command)
    return this.executeCommands([sent, { ...options, commandIds }], handler)
  }

  /** @param given commands, or a list of them and options */
  async executeCommands(given: readonly unknown[], handler?: DispatchingHandler): Promise<BatchResult> {
    const { commands, options } = givenCommands(given)
    const { each, commandIds } = checkedBatchOptions(options, commands.length)
    // What an event wakes may run where the event was made; it is no part of the batch.
    if (handler === undefined) this.#refuseWithin()
    this.#refuseInDryRun('a batch')
    if (commands.length === 0) return resultOf([])
    const wanted = commands.map((command, index) => {
      const commandId = commandIds?.[index]
      return { command, options: commandId === undefined ? each : { ...each, commandId } }
    })
    const prepared = this.#prepare(wanted, commandIds, each)
    const outcomes = await this.#inTurn(prepared)
    const result = resultOf(outcomes)
    await this.#waitFor(prepared, outcomes, result, handler)
    return result
  }

  /** One command by itself, which foreground workflows follow. */
  async dispatch(
    command: unknown,
    options: DispatchOptions | undefined,
    handler?: DispatchingHandler,
  ): Promise<ExecutionResult> {
    let prepared: Prepared | undefined
    this.#refuseInDryRun(typeOf(command))
    try {
      prepared = this.#prepare([{ command, options: options ?? {} }], this.#markedBy(command, options), undefined)
      const outcomes = await this.#inTurn(prepared)
      const [only] = outcomes as readonly [CommandOutcome]
      await this.#waitFor(prepared, outcomes, only.result, handler)
      return only.result
    } catch (error) {
      throw error instanceof BatchFailedError && !error.isScheduled ? error.cause : error
    }
  }

  async #inTurn({ limit, batch, turn }: Prepared): Promise<readonly CommandOutcome[]> {
    try {
      return await limit.within(() => batch.run())
    } finally {
      // One that has run out of time holds up nobody, once it is known what is stored of it.
      if (!limit.isAppending) turn?.leave()
    }
  }

  /** Within a batch, which may have the turn itself, nobody waits for one. */
  #turnOf(whose: readonly unknown[]): DispatchTurn | undefined {
    const running = this.#scope?.current()
    if (running !== undefined && !running.isOver) return undefined
    return this.#turns.take(JSON.stringify(whose))
  }

  /** What a command handler stored may lie in many streams, between what others stored: where, is kept together with it. */
  #markedBy(command: unknown, options: DispatchOptions | undefined): readonly string[] | undefined {
    const { commandId } = options ?? {}
    if (commandId === undefined || this.#parts.planOf(command).route.unit === undefined) return undefined
    return [commandId]
  }

  /** What the commands would come to, for a dry run: whose engine this is then. */
  async rehearse(commands: readonly SealedMessage[], options: object): Promise<Rehearsal> {
    if (commands.length === 0) return { entries: [], outcomes: [], failure: undefined }
    const wanted = commands.map((command) => ({ command, options }))
    const { batch, limit, queue } = this.#prepare(wanted, undefined, options)
    let failure: EdictError | undefined
    let outcomes: readonly CommandOutcome[] = []
    try {
      outcomes = await limit.within(() => batch.run())
    } catch (error) {
      if (!isEdictError(error)) throw error
      failure = error
    }
    return { entries: queue.entries, outcomes, failure }
  }

  #prepare(wanted: readonly EntryOf[], commandIds: readonly string[] | undefined, given: object | undefined): Prepared {
    const { services, random, foreground, limits, isDryRun, plans, planOf, defaults } = this.#parts
    mustAppendAtomically(services.store, 'batches need')
    const made: { limit?: BatchLimit } = {}
    const maker = entryMaker(services, planOf, () => made.limit?.signal ?? neverAborted())
    const entries = this.#entries(wanted, maker)
    const [first] = entries as readonly [BatchEntry]
    // A batch is not in one route: what its routes say of time is about their own dispatches.
    const alone = given === undefined
    const timeout = alone || 'timeout' in given ? first.options.timeout : defaults.timeout
    const { deadline, signal, consistencyTimeout } = first.options
    const retryAttempts = alone || 'retryAttempts' in given ? first.options.retryAttempts : defaults.retryAttempts
    const isKnownAgain = commandIds !== undefined || (alone && first.options.commandId !== undefined)
    const limit = new BatchLimit(services, { what: nameOf(entries), timeout, deadline, signal, isKnownAgain })
    made.limit = limit
    const groupOf = (type: string) => plans.get(type)?.group
    const marker = commandIds === undefined ? undefined : new BatchMarker(services, commandIds, groupOf, alone)
    const queue = new BatchQueue(services, maker, limits, entries)
    const scope = this.#scope
    const whose = alone ? [first.plan.model.name, first.aggregateId, first.options.tenant] : commandIds && [commandIds]
    const turn = whose === undefined || isDryRun ? undefined : this.#turnOf(whose)
    const parts = {
      turn,
      services,
      random,
      foreground,
      queue,
      limit,
      marker,
      scope,
      retryAttempts,
      isDryRun,
      isDispatch: alone,
    }
    return { batch: new Batch(parts), limit, queue, consistencyTimeout, turn }
  }

  /** All are validated before the first one runs; the error names which is not valid. */
  #entries(wanted: readonly EntryOf[], maker: EntryMaker): readonly BatchEntry[] {
    const entries: BatchEntry[] = []
    for (const [index, one] of wanted.entries()) {
      const correlationId = entries[0]?.correlationId
      try {
        entries.push(maker(correlationId === undefined ? one : { ...one, correlationId }))
      } catch (thrown) {
        if (!isEdictError(thrown) || thrown instanceof InvalidOptionError) throw thrown
        const { commandId = '' } = one.options as { readonly commandId?: string }
        this.#parts.services.telemetry.tell('dispatch:refuse', refusal(one, thrown))
        throw new BatchFailedError({ command: typeOf(one.command), commandId, index, isScheduled: false }, thrown)
      }
    }
    return entries
  }

  /** What a dry run runs itself has services of its own. */
  #refuseInDryRun(what: string): void {
    const refusal = refusalInDryRun(what, runningHere(), this.#parts.services)
    if (refusal !== undefined) throw new ReentrantDispatchError(refusal)
  }

  /** One transaction within another would wait for what the other one holds back, or be undone by it. */
  #refuseWithin(): void {
    const running = this.#scope?.current()
    if (running === undefined || running.isOver) return
    throw new ReentrantDispatchError(
      'a batch was begun by what runs in a batch: call executeCommands of the context, which schedules',
    )
  }

  async #waitFor(
    { consistencyTimeout }: Prepared,
    outcomes: readonly CommandOutcome[],
    executionResult: unknown,
    handler: DispatchingHandler | undefined,
  ): Promise<void> {
    const { board, codec, clock } = this.#parts.services
    const since = clock.now()
    const waits = outcomes
      .filter(({ awaited, synchronous }) => awaited.length + synchronous.length > 0)
      .map(({ result, awaited, synchronous }) => {
        const events = readByHandlers(codec, result.events, STORED, executionResult)
        const now = readByHandlers(codec, synchronous, STORED, executionResult)
        return board.wait(events, awaited, consistencyTimeout, handler, now)
      })
    const laggards = [...new Set((await Promise.all(waits.map((wait) => Promise.resolve(wait)))).flat())]
    if (laggards.length === 0) return
    throw handlersBehind(board, laggards, clock.now() - since, STORED, executionResult)
  }
}

/** What came of a batch in a dry run. */
export interface Rehearsal {
  readonly entries: readonly BatchEntry[]
  readonly outcomes: readonly CommandOutcome[]
  readonly failure: EdictError | undefined
}

function neverAborted(): AbortSignal {
  return new AbortController().signal
}

function resultOf(outcomes: readonly CommandOutcome[]): BatchResult {
  const given = outcomes.filter(({ scheduledBy }) => scheduledBy === undefined)
  const scheduled = outcomes.flatMap(({ type, commandId, scheduledBy, result }): ScheduledResult[] =>
    scheduledBy === undefined ? [] : [Object.freeze({ type, commandId, scheduledBy, result })],
  )
  return Object.freeze({
    results: Object.freeze(given.map(({ result }) => result)),
    scheduled: Object.freeze(scheduled),
    position: Math.max(0, ...outcomes.map(({ result }) => result.position)),
  })
}

function refusal({ command, options }: EntryOf, error: EdictError) {
  const { commandId, correlationId, causationId } = options as DispatchOptions
  return { command: typeOf(command), commandId, correlationId, causationId, error }
}

function typeOf(command: unknown): string {
  const type = (command as { readonly type?: unknown } | null | undefined)?.type
  return typeof type === 'string' ? type : 'unknown'
}

function nameOf(entries: readonly BatchEntry[]): string {
  const [first] = entries
  if (entries.length === 1 && first !== undefined) return first.command.type
  return `a batch of ${entries.length} commands (${first?.command.type ?? 'none'} comes first)`
}
