import { CommandContext } from '../dispatch/command-context.ts'
import type { BoardHandler } from '../dispatch/consistency-board.ts'
import { handlingScope } from '../dispatch/running-handler.ts'
import { unitHostOf, type UnitHost } from '../dispatch/unit-host.ts'
import { InvalidOptionError, UnitOfWorkMisuseError, VersionConflictError } from '../errors.ts'
import type { Repository } from './repository.ts'
import { Unit } from './unit.ts'
import type { Committed } from './unit-commit.ts'
import { checkedUnitOptions, type CheckedUnitOptions, type UnitOfWorkOptions } from './unit-options.ts'
import { unitHereOf, UnitRun, type AfterCommit, type UnitOfWorkResult } from './unit-run.ts'
import { UnitScope, type UnitOfWorkScope } from './unit-scope.ts'
import { UnitSource } from './unit-source.ts'
import { waitForHandlers } from './wait-for-handlers.ts'

/** What joins another unit has stored nothing by itself. */
const NOTHING: UnitOfWorkResult = Object.freeze({ events: Object.freeze([]), position: 0 })
const NOBODY = { failure: undefined, fence: () => undefined, appending: () => undefined }

/**
 * A unit of work that is begun and ended by hand; `unitOfWork(application, work)` does both, and is mostly what you want. Within another
 * unit of the same application it joins that one, which stores all of it at its own end.
 *
 * @example
 * await using unit = new UnitOfWork(bank).start()
 * const root = await unit.repository.get(BankAccount, 'ACC123')
 * root.execute(DepositMoney({ accountNumber: 'ACC123', amount: 5 }))
 * unit.repository.add(root)
 * const { events } = await unit.commit()
 *
 * @throws {InvalidOptionError} `invalid_option`; UnsupportedCapabilityError `unsupported_capability`
 */
export class UnitOfWork implements UnitOfWorkScope, AsyncDisposable {
  readonly #host: UnitHost
  readonly #checked: CheckedUnitOptions
  #run: UnitRun | undefined
  #scope: UnitScope | undefined
  /** The handlers that its commit waits for. */
  #awaited: readonly BoardHandler[] = []
  #joined = false
  #ended = false

  constructor(application: { readonly name: string }, options: UnitOfWorkOptions = {}) {
    const host = unitHostOf(application)
    if (host === undefined) throw new InvalidOptionError('a unit of work needs its application(…)')
    this.#host = host
    this.#checked = checkedUnitOptions(host, options, false)
  }

  /**
   * Begins it.
   *
   * @throws {UnitOfWorkMisuseError} `unit_of_work_misuse` where it has begun before, or is another tenant's than the one that it would
   *   join; NotRunningError `not_running`; InvalidOptionError `invalid_option` where its consistency names what is no handler to be waited for
   */
  start(): this {
    if (this.#run !== undefined)
      throw new UnitOfWorkMisuseError('the unit of work was started before: make another one')
    this.#host.mustRun()
    const enclosing = unitHereOf(this.#host.services)
    enclosing?.refuseOther(this.#checked.options.tenant)
    this.#joined = enclosing !== undefined
    // The one that is joined does the waiting.
    if (!this.#joined) this.#awaited = this.#host.services.board.resolve(this.#checked.options.consistency)
    this.#run = enclosing ?? this.#begin()
    this.#scope = new UnitScope(this.#run, this.#joined)
    return this
  }

  #begin(): UnitRun {
    const { services, followerOf } = this.#host
    const { options, multipleAggregates } = this.#checked
    services.handling ??= handlingScope()
    const source = new UnitSource(services, options)
    const context = new CommandContext(source.asContext())
    return new UnitRun(services, new Unit(services, NOBODY, { multipleAggregates, followerOf }), source, context, {
      instance: undefined,
    })
  }

  get inProgress(): boolean {
    return !this.#ended && this.#scope?.inProgress === true
  }

  /** @throws {UnitOfWorkMisuseError} `unit_of_work_misuse` where it has not begun, or has ended */
  get repository(): Repository {
    return this.#open().repository
  }

  /** Runs code that finds it by `currentUnitOfWork()`, and whose own units join it. */
  run<Value>(work: () => Value): Value {
    this.#open()
    const { handling } = this.#host.services
    return handling === undefined ? work() : handling.run(this.#run, work)
  }

  afterCommit(hook: AfterCommit): void {
    this.#open().afterCommit(hook)
  }

  /**
   * Stores what was added, and ends it. Where it has joined another unit, that one stores it.
   *
   * @throws {VersionConflictError} `version_conflict` where somebody else wrote to one of its aggregates: nothing is stored
   * @throws {AggregateNotAddedError} `aggregate_not_added`; SeveralAggregatesError `several_aggregates`; UnitRolledBackError
   *   `unit_rolled_back`; SchedulingRefusedError `scheduling_refused`; UniqueValueTakenError `value_taken`; StoreError `store_failed`
   * @throws {ConsistencyTimeoutError} `consistency_timeout` where all is stored, and a handler is behind
   * @throws {UnitOfWorkMisuseError} `unit_of_work_misuse` where it has not begun, or has ended
   */
  async commit(): Promise<UnitOfWorkResult> {
    const scope = this.#open()
    this.#ended = true
    scope.leave()
    const run = this.#run
    if (this.#joined || run === undefined) return NOTHING
    run.end()
    return this.#host.during(this.#commit(run))
  }

  async #commit(run: UnitRun): Promise<UnitOfWorkResult> {
    const { services } = this.#host
    const { events, synchronous } = await committed(run.unit)
    const result = { events, position: events.at(-1)?.position ?? 0 }
    await run.committed(result)
    await waitForHandlers(services, this.#awaited, this.#checked.options.consistencyTimeout, result, synchronous)
    return result
  }

  /** @throws {UnitOfWorkMisuseError} `unit_of_work_misuse` where it has not begun, or has ended */
  rollback(): void {
    this.#open().rollback()
    this.#ended = true
  }

  /** Rolls it back where it was not ended: whether the code before has succeeded, only the code before can say. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.inProgress) this.rollback()
    return Promise.resolve()
  }

  #open(): UnitScope {
    if (this.#scope === undefined)
      throw new UnitOfWorkMisuseError('the unit of work has not been started: call start()')
    if (!this.inProgress) throw new UnitOfWorkMisuseError('the unit of work has ended: begin another one')
    return this.#scope
  }
}

/** Its caller alone can do it all again. */
async function committed(unit: Unit): Promise<Committed> {
  try {
    return await unit.commit()
  } catch (error) {
    throw error instanceof VersionConflictError ? await unit.asToldOf(error) : error
  }
}
