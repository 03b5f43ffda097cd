import type { BatchResult } from '../batches/batch-type.ts'
import type { DryRunReport } from '../batches/dry-run-type.ts'
import { modelOf } from '../aggregate/aggregate.ts'
import { checkedTenant } from '../aggregate/tenant.ts'
import { InstanceCache, type InstanceGroup } from '../aggregate/instance-cache.ts'
import { Dispatcher } from '../dispatch/dispatcher.ts'
import { tried } from '../dispatch/expected-failure.ts'
import { evict, lookAt, takeSnapshot } from '../dispatch/instance-care.ts'
import { PositionWaits, type WaitOptions } from '../dispatch/position-waits.ts'
import { routePlan } from '../dispatch/route-plan.ts'
import { keepUnitHost } from '../dispatch/unit-host.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { stayingAlive } from '../effects/clock.ts'
import type { Result } from '../effects/result.ts'
import { DefinitionError, InvalidOptionError, type EdictError } from '../errors.ts'
import { checkOptions } from '../event-store/argument-checks.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { identityText } from '../routing/identity.ts'
import type { CommandReceipt } from '../routing/command-receipt.ts'
import type { EnqueueOptions, ProcessOptions } from '../routing/enqueue-options.ts'
import { routingOf, type Routing } from '../routing/routing.ts'
import type { QueuedCommands } from '../queue/queued-commands.ts'
import type { HandlerControl } from '../subscribers/handler-control.ts'
import { processManagerBodyOf } from '../subscribers/process-manager-body.ts'
import { projectionBodyOf } from '../subscribers/projection-body.ts'
import type { TelemetryListener } from '../telemetry/telemetry.ts'
import type { TelemetryName } from '../telemetry/telemetry-events.ts'
import { ApplicationLife, STOP_PATIENCE_MS } from './application-life.ts'
import { applicationMetrics, type ApplicationMetrics } from './application-metrics.ts'
import type { Application, InstanceOptions } from './application-type.ts'
import { dispatchServices } from './dispatch-services.ts'
import { keepInside } from './inside.ts'
import { MiddlewareLife } from './middleware-life.ts'
import { makeRunners, type Runner } from './runners.ts'
import type { CommandProcessing } from './queue-definition.ts'
import { StoredCommands } from './stored-commands.ts'
import { Transactions } from './transactions.ts'
import { checkedDefinition, type ApplicationDefinition, type CheckedDefinition } from './definition.ts'

/**
 * Assembles routers, an event store and handlers into an application that can be started.
 *
 * @example
 * const bank = application({
 *   name: 'bank',
 *   router: compositeRouter(accountRouter, transferRouter),
 *   eventStore: inMemoryEventStore(),
 *   handlers: [accountBalances],
 * })
 * await bank.start()
 * await bank.dispatch(OpenAccount({ accountNumber: 'ACC123', initialBalance: 1_000 }))
 * await bank.stop()
 *
 * @throws {DefinitionError} `invalid_definition` where the definition does not make sense
 */
export function application<Routes, const Processing extends CommandProcessing = 'sync'>(
  definition: ApplicationDefinition<Routes, Processing>,
): Application<Routes, Processing> {
  const checked = checkedDefinition(definition)
  const routing = routingOf(definition.router)
  if (routing === undefined) throw new DefinitionError(`the application ${checked.name} needs a router(…)`)
  // The body knows nothing of the user's types; the face is worked out from the router's.
  return new AssembledApplication(checked, routing) as unknown as Application<Routes, Processing>
}

class AssembledApplication {
  readonly name: string
  readonly #definition: CheckedDefinition
  readonly #routing: Routing
  readonly #instances: InstanceCache
  readonly #services: DispatchServices
  readonly #dispatcher: Dispatcher
  readonly #waits: PositionWaits
  readonly #stored: StoredCommands
  readonly #life: ApplicationLife
  readonly #transactions: Transactions

  constructor(definition: CheckedDefinition, routing: Routing) {
    this.name = definition.name
    this.#definition = definition
    this.#routing = routing
    this.#instances = new InstanceCache(definition.cachedAggregates)
    this.#services = dispatchServices(definition, routing, this.#instances)
    // Units of work load what no command goes to, too.
    for (const { model, prefix } of routing.identities.values()) this.#instances.group(model, prefix)
    const plans = [...routing.routes].map(
      ([type, route]) => [type, routePlan(route, definition.defaults, this.#services, definition.lifespan)] as const,
    )
    const { clock, logger, telemetry } = this.#services
    const middleware = new MiddlewareLife({
      middleware: new Set([...routing.routes.values()].flatMap((route) => route.middleware)),
      host: { name: this.name, clock, logger, on: telemetry.on.bind(telemetry) },
      clock,
      logger,
      patience: STOP_PATIENCE_MS,
    })
    this.#dispatcher = new Dispatcher(this.#services, new Map(plans))
    const life = new ApplicationLife(definition)
    this.#life = life
    const notRunning = (): Error | undefined => (life.isRunning ? undefined : life.notRunning())
    this.#stored = new StoredCommands(definition, routing, this.#services, this.#dispatcher, notRunning)
    this.#transactions = new Transactions(definition, this.#services, new Map(plans), this.#dispatcher)
    keepInside(this, {
      name: this.name,
      store: definition.store,
      services: this.#services,
      ...{ definition, routing },
      makeRunners: () => this.#makeRunners(),
      commands: this.#stored.commandsAtRest,
      workWith: (workers) => {
        this.#stored.workWith(workers)
      },
      drainWorkers: (patience) => this.#stored.stop(patience),
      isRunning: () => life.isRunning,
      handlers: () => this.#life.runners.map(({ name }) => name),
      idle: () => this.#dispatcher.idle(),
      runQueued: () => this.#stored.drain(),
      beginAnew: (meanwhile) => life.beginAnew(meanwhile),
    })
    const { upcasters, defaults } = definition
    keepUnitHost(this, {
      services: this.#services,
      defaults,
      mustRun: () => {
        life.mustRun()
      },
      during: (work) => this.#dispatcher.during(work),
      followerOf: (type) => this.#dispatcher.followed?.followerOf(type),
    })
    this.#waits = new PositionWaits(this.#services, { upcasters, timeout: defaults.consistencyTimeout })
    life.assembled({
      ...{ services: this.#services, dispatcher: this.#dispatcher, stored: this.#stored, waits: this.#waits },
      ...{ middleware, routing },
      running: {
        name: this.name,
        self: this,
        dispatch: (command, options) => this.dispatch(command, options),
      },
      makeRunners: () => this.#makeRunners(),
    })
  }

  async start(): Promise<this> {
    await this.#life.start()
    return this
  }

  stop(): Promise<void> {
    return this.#life.stop()
  }

  on<Name extends TelemetryName>(name: Name, listener: TelemetryListener<Name>): () => void {
    return this.#services.telemetry.on(name, listener)
  }

  async metrics(): Promise<ApplicationMetrics> {
    this.#life.mustRun()
    return applicationMetrics(
      { ...this.#services, upcasters: this.#definition.upcasters },
      this.#life.runners.map(({ name }) => name),
      this.#dispatcher.pending,
    )
  }

  #makeRunners(): readonly Runner[] {
    const refused = () => (this.#life.isOver ? Promise.reject(this.#life.notRunning()) : undefined)
    return makeRunners(
      this.#definition,
      this.#services,
      this.#routing,
      (command, options, handler) => refused() ?? this.#dispatcher.dispatch(command, options, handler),
      (command, options) => refused() ?? this.#stored.enqueue(command, options),
      this.#transactions.batches,
    )
  }

  async processState(processManager: object, instanceId: unknown, options?: InstanceOptions): Promise<unknown> {
    this.#life.mustRun()
    const body = processManagerBodyOf(processManager)
    if (body === undefined) throw new InvalidOptionError('processState: that is no processManager(…)')
    if (!this.#definition.processManagers.includes(body)) {
      throw new InvalidOptionError(`processState: ${body.name} is no process manager of the application ${this.name}`)
    }
    return body.readState(this.#services.store, this.#services.codec, instanceId, tenantOf('processState', options))
  }

  async rebuild(projection: { readonly name: string }): Promise<void> {
    this.#life.mustRun()
    const body = projectionBodyOf(projection)
    if (body === undefined) throw new InvalidOptionError('rebuild: that is no projection(…)')
    const runner = this.#life.runners.find(({ name }) => name === body.name)
    if (runner !== undefined && 'rebuild' in runner && this.#definition.projections.includes(body)) {
      return stayingAlive(this.#services.clock, runner.rebuild())
    }
    throw new InvalidOptionError(`rebuild: ${body.name} is no projection of the application ${this.name}`)
  }

  handler(handler: string | { readonly name: string }): HandlerControl {
    this.#life.mustRun()
    // From JavaScript, anything.
    const given = handler as string | { readonly name?: unknown } | null | undefined
    const name = typeof given === 'string' ? given : given?.name
    const runner = this.#life.runners.find((one) => one.name === name)
    if (runner !== undefined && 'replay' in runner) return runner
    throw new InvalidOptionError(
      `handler: ${String(name)} is no event handler and no process manager of the application ${this.name}`,
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  dispatch(command: unknown, options?: DispatchOptions): Promise<ExecutionResult> {
    const error = this.#refusal(options)
    if (error === undefined) return this.#dispatcher.dispatch(command, options)
    this.#dispatcher.refused(command, options, error)
    return Promise.reject(error)
  }

  async executeCommands(...given: readonly unknown[]): Promise<BatchResult> {
    this.#life.mustRun()
    return this.#transactions.executeCommands(given)
  }

  async dryRun(...given: readonly unknown[]): Promise<DryRunReport> {
    this.#life.mustRun()
    return this.#transactions.dryRun(given)
  }

  #refusal(options: DispatchOptions | undefined): EdictError | undefined {
    if (!this.#life.isRunning) return this.#life.notRunning()
    if (options?.application === undefined || this.#isMeant(options.application)) return undefined
    return new InvalidOptionError(`this is the application ${this.name}, and another was asked for`)
  }

  #mustTake(command: unknown, options: DispatchOptions | undefined): void {
    const error = this.#refusal(options)
    if (error === undefined) return
    this.#dispatcher.refused(command, options, error)
    throw error
  }

  tryDispatch(command: unknown, options?: DispatchOptions): Promise<Result<ExecutionResult, EdictError>> {
    return tried(this.dispatch(command, options))
  }

  async enqueue(command: unknown, options?: EnqueueOptions): Promise<CommandReceipt> {
    this.#mustTake(command, options)
    return this.#stored.enqueue(command, options)
  }

  async process(command: unknown, options?: ProcessOptions): Promise<ExecutionResult | CommandReceipt> {
    this.#mustTake(command, options)
    return this.#stored.process(command, options)
  }

  get commands(): QueuedCommands {
    return this.#stored.commands
  }

  async waitFor(position: number, options?: WaitOptions): Promise<void> {
    this.#life.mustRun()
    await this.#waits.wait(position, options)
  }

  async aggregateState(aggregate: object, identity: unknown, options?: InstanceOptions): Promise<unknown> {
    return (await this.#with('aggregateState', lookAt, aggregate, identity, options)).state
  }

  async aggregateVersion(aggregate: object, identity: unknown, options?: InstanceOptions): Promise<number> {
    return (await this.#with('aggregateVersion', lookAt, aggregate, identity, options)).version
  }

  async snapshot(aggregate: object, identity: unknown, options?: InstanceOptions): Promise<number> {
    return this.#with('snapshot', takeSnapshot, aggregate, identity, options)
  }

  async evict(aggregate: object, identity: unknown, options?: InstanceOptions): Promise<boolean> {
    return this.#with('evict', evict, aggregate, identity, options)
  }

  #with<Value>(
    where: string,
    care: (services: DispatchServices, group: InstanceGroup, aggregateId: string) => Promise<Value>,
    aggregate: object,
    identity: unknown,
    options: InstanceOptions | undefined,
  ): Promise<Value> {
    this.#life.mustRun()
    const group = this.#groupOf(aggregate).of(tenantOf(where, options))
    return care(this.#services, group, identityText(identity, `the identity of a ${group.model.name}`))
  }

  #groupOf(aggregate: object): InstanceGroup {
    const model = modelOf(aggregate)
    const group = model && this.#instances.groupOf(model)
    if (group !== undefined) return group
    throw new InvalidOptionError(
      model === undefined
        ? 'that is no aggregate(…)'
        : `no router of the application ${this.name} dispatches to ${model.name}`,
    )
  }

  #isMeant(chosen: string | { readonly name: string }): boolean {
    return chosen === this.name || chosen === this
  }
}

function tenantOf(where: string, options: InstanceOptions | undefined): string | undefined {
  checkOptions(where, options, ['tenant'])
  return options?.tenant === undefined ? undefined : checkedTenant(options.tenant)
}
