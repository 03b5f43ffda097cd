import { BoundedTurn } from '../dispatch/bounded-turn.ts'
import { CommandContext } from '../dispatch/command-context.ts'
import { handlingScope } from '../dispatch/running-handler.ts'
import { unitHostOf, type UnitHost } from '../dispatch/unit-host.ts'
import { InvalidOptionError, VersionConflictError } from '../errors.ts'
import { pauseAfter } from './pause.ts'
import { Unit } from './unit.ts'
import { checkedUnitOptions, type CheckedUnitOptions, type UnitOfWorkCallOptions } from './unit-options.ts'
import { NOTHING_STORED, type Committed } from './unit-commit.ts'
import type { UnitOwner } from './unit-owner.ts'
import { unitHereOf, UnitRun, type UnitOfWorkResult } from './unit-run.ts'
import { UnitScope, type UnitOfWorkScope } from './unit-scope.ts'
import { UnitSource } from './unit-source.ts'
import { waitForHandlers } from './wait-for-handlers.ts'

/**
 * Runs code in a unit of work, which commits when it is done, and stores nothing where it fails (Protean's `with UnitOfWork()`). Where
 * somebody else wrote to one of its aggregates meanwhile, the code is run again from the start in a fresh unit. Within another unit of the
 * same application it joins that one.
 *
 * @example
 * const balance = await unitOfWork(bank, async ({ repository }) => {
 *   const root = await repository.get(BankAccount, 'ACC123')
 *   root.execute(DepositMoney({ accountNumber: 'ACC123', amount: 5 }))
 *   repository.add(root)
 *   return root.state.balance
 * })
 *
 * @returns what the code returned
 * @throws {EdictError} as `UnitOfWork.commit`; CommandTimeoutError `command_timeout`; AbortedError `aborted`; whatever the code threw
 */
export async function unitOfWork<Value>(
  application: { readonly name: string },
  work: (unit: UnitOfWorkScope) => Value | Promise<Value>,
  options: UnitOfWorkCallOptions = {},
): Promise<Value> {
  const host = unitHostOf(application)
  if (host === undefined) throw new InvalidOptionError('unitOfWork(application, work) needs its application(…)')
  if (typeof work !== 'function') throw new InvalidOptionError('unitOfWork(application, work) needs its work')
  const checked = checkedUnitOptions(host, options, true)
  host.mustRun()
  const { services } = host
  const { consistency, consistencyTimeout } = checked.options
  const enclosing = unitHereOf(services)
  enclosing?.refuseOther(checked.options.tenant)
  if (enclosing !== undefined) return joined(enclosing, work)
  const awaited = services.board.resolve(consistency)
  const called = async () => {
    const { value, run, result, synchronous } = await new CalledUnit(host, checked, work).start()
    await run.committed(result)
    await waitForHandlers(services, awaited, consistencyTimeout, result, synchronous)
    return value
  }
  return host.during(called())
}

/** Whatever catches a failure within: what it left half done must not be stored. */
async function joined<Value>(run: UnitRun, work: (unit: UnitOfWorkScope) => Value | Promise<Value>): Promise<Value> {
  const scope = new UnitScope(run, true)
  try {
    return await work(scope)
  } catch (error) {
    run.unit.breakBy(error)
    throw error
  } finally {
    scope.leave()
  }
}

interface Called<Value> {
  readonly value: Value
  readonly run: UnitRun
  readonly result: UnitOfWorkResult
  readonly synchronous: Committed['synchronous']
}

const SAYS_WHAT = Object.freeze({ type: 'the unit of work' })

/** One call: its units, one after another, until one commits. */
class CalledUnit<Value> extends BoundedTurn<Called<Value>> implements UnitOwner {
  readonly command = SAYS_WHAT
  readonly #host: UnitHost
  readonly #multipleAggregates: boolean
  readonly #work: (unit: UnitOfWorkScope) => Value | Promise<Value>

  constructor(
    host: UnitHost,
    { options, multipleAggregates }: CheckedUnitOptions,
    work: (unit: UnitOfWorkScope) => Value | Promise<Value>,
  ) {
    super(host.services, options, host.services.clock.now())
    this.#host = host
    this.#multipleAggregates = multipleAggregates
    this.#work = work
  }

  async start(): Promise<Called<Value>> {
    const { signal, deadline } = this.options
    if (signal?.aborted) throw this.aborted(signal)
    if (deadline !== undefined) this.limitTo(deadline)
    return await this.bounded(this.perform())
  }

  override fence(): void {
    super.fence()
  }

  appending(): void {
    this.phase = 'appending'
  }

  override async perform(): Promise<Called<Value>> {
    for (let conflicts = 0; ; conflicts++) {
      this.phase = 'working'
      const run = this.#begin()
      try {
        const value = await this.#run(run)
        return this.#through(run, value, run.rolledBack ? NOTHING_STORED : await run.unit.commit())
      } catch (error) {
        if (!(error instanceof VersionConflictError) || !run.unit.hasConflicted(error)) throw error
        if (conflicts >= this.options.retryAttempts) throw await run.unit.asToldOf(error)
        this.phase = 'working'
        const { signal } = this.options
        // While the append was under way, nobody listened.
        if (signal?.aborted) throw this.aborted(signal)
      } finally {
        run.end()
        run.unit.rollBack()
      }
      await pauseAfter(conflicts + 1, this.#host.services)
      this.fence()
    }
  }

  #begin(): UnitRun {
    const { services, followerOf } = this.#host
    services.handling ??= handlingScope()
    const source = new UnitSource(services, this.options)
    const unit = new Unit(services, this, { multipleAggregates: this.#multipleAggregates, followerOf })
    return new UnitRun(services, unit, source, new CommandContext(source.asContext(this)), { instance: undefined })
  }

  async #run(run: UnitRun): Promise<Value> {
    const scope = new UnitScope(run)
    const { handling } = this.#host.services
    const work = () => this.#work(scope)
    const value = await (handling === undefined ? work() : handling.run(run, work))
    run.end()
    this.fence()
    return value
  }

  #through(run: UnitRun, value: Value, { events, synchronous }: Committed): Called<Value> {
    this.phase = 'through'
    const result = { events, position: events.at(-1)?.position ?? 0 }
    // Its caller has been told that nobody knows.
    if (this.failure !== undefined) void run.committed(result)
    return { value, run, result, synchronous }
  }
}
