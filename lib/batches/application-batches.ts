import { Snapshots } from '../aggregate/snapshots.ts'
import { isOfInterest } from '../dispatch/board-entry.ts'
import { ConsistencyBoard } from '../dispatch/consistency-board.ts'
import { Lifespans } from '../dispatch/lifespans.ts'
import { routePlan, type RoutePlan } from '../dispatch/route-plan.ts'
import { handlingScope } from '../dispatch/running-handler.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { InvalidOptionError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { Telemetry } from '../telemetry/telemetry.ts'
import { interestOf } from '../subscribers/interest.ts'
import { BatchEngine } from './batch-engine.ts'
import { givenCommands } from './batch-options.ts'
import type { BatchResult } from './batch-type.ts'
import { DryRun, type RehearsedSender } from './dry-run.ts'
import type { DryRunReport } from './dry-run-type.ts'
import { Foreground } from './foreground.ts'
import { overlayStore } from './overlay-store.ts'
import { RehearsedProcess } from './rehearsed-process.ts'
import { rehearsedWorkflow } from './rehearsed-workflow.ts'
import { Rehearsing } from './rehearsing.ts'
import type { ApplicationBatches, ApplicationBatchesParts, FollowerModel } from './workflow-body.ts'

const DRY_RUN_OPTIONS = ['metadata', 'correlationId', 'tenant', 'timeout', 'signal']

class Batches implements ApplicationBatches {
  readonly #engine: BatchEngine
  readonly #parts: ApplicationBatchesParts
  readonly #foreground: Foreground
  /** The types of the commands whose events a workflow may follow inside the transaction. */
  readonly #followed: ReadonlySet<string>

  constructor(parts: ApplicationBatchesParts) {
    this.#parts = parts
    this.#foreground = new Foreground(parts.workflows.flatMap((one) => (one.kind === 'foreground' ? [one.model] : [])))
    const followed = [...parts.plans].filter(([, plan]) => mayConcern(this.#foreground, plan))
    this.#followed = new Set(followed.map(([type]) => type))
    this.#engine = new BatchEngine({ ...parts, foreground: this.#foreground, isDryRun: false })
  }

  isFollowed(command: unknown): boolean {
    if (this.#followed.size === 0) return false
    const definition = SealedMessage.definitionOf(command)
    return definition !== undefined && this.#followed.has(definition.type)
  }

  followerOf(type: string): string | undefined {
    return this.#foreground.firstFollowing(type)
  }

  dispatch(...given: Parameters<ApplicationBatches['dispatch']>): Promise<ExecutionResult> {
    return this.#engine.dispatch(...given)
  }

  executeCommands(given: readonly unknown[]): Promise<BatchResult> {
    return this.#engine.executeCommands(given)
  }

  check(command: unknown): SealedMessage {
    return this.#engine.check(command)
  }

  run(...given: Parameters<ApplicationBatches['run']>): Promise<BatchResult> {
    return this.#engine.run(...given)
  }

  async dryRun(given: readonly unknown[]): Promise<DryRunReport> {
    const [first, options = {}] = given
    const { commands } = givenCommands(Array.isArray(first) ? given : [first])
    if (typeof options !== 'object' || options === null) {
      throw new InvalidOptionError('the options of a dry run are an object')
    }
    for (const key of Object.keys(options)) {
      if (DRY_RUN_OPTIONS.includes(key)) continue
      throw new InvalidOptionError(`a dry run has no option ${key}; it has ${DRY_RUN_OPTIONS.join(', ')}`)
    }
    const { services, processManagers, workflows, limits } = this.#parts
    const dry = await dryServices(services)
    const engine = this.#dryEngine(dry)
    const signal = new AbortController().signal
    const followers = this.#parts.followers.map((one) => ({ ...one, wants: wantsOf(one) }))
    const senders: RehearsedSender[] = [
      ...workflows.flatMap((one) => (one.kind === 'background' ? [rehearsedWorkflow(one, dry, engine, signal)] : [])),
      ...processManagers.map((model) => new RehearsedProcess(model, { ...dry, signal })),
    ]
    const dryRun = new DryRun({
      engine,
      senders,
      limits,
      asRead: (events) => dry.codec.asRead(events),
      followersOf: (event) =>
        followers.flatMap(({ kind, model, wants }) =>
          wants(event) ? [Object.freeze({ kind, name: model.name })] : [],
        ),
    })
    // The engine looks at what each of them is.
    const play = () => dryRun.run(commands as readonly SealedMessage[], options)
    const handling = (services.handling ??= handlingScope())
    const rehearsing = new Rehearsing(services)
    try {
      return await (handling === undefined ? play() : handling.run(rehearsing, play))
    } finally {
      rehearsing.end()
    }
  }

  /** Without middleware, which is there for commands that are sent. */
  #dryEngine(services: DispatchServices): BatchEngine {
    const { plans, defaults, planOf } = this.#parts
    const dryPlans = new Map(
      [...plans].map(([type, { route }]) => {
        const plan = routePlan({ ...route, middleware: [] }, { ...defaults, consistency: 'eventual' }, services)
        return [type, { ...plan, defaults: { ...plan.defaults, consistency: 'eventual' as const } }] as const
      }),
    )
    return new BatchEngine({
      ...this.#parts,
      services,
      plans: dryPlans,
      planOf: (command) => dryPlans.get(planOf(command).route.command.type) ?? planOf(command),
      foreground: this.#foreground,
      isDryRun: true,
    })
  }
}

export function applicationBatches(parts: ApplicationBatchesParts): ApplicationBatches {
  return new Batches(parts)
}

/** A command handler may load any aggregate. */
function mayConcern(foreground: Foreground, { model, route }: RoutePlan): boolean {
  return route.unit === undefined ? foreground.follows(model.events.keys()) : !foreground.isEmpty
}

/** Nothing of a dry run is stored, kept in memory, waited for or told of. */
async function dryServices(services: DispatchServices): Promise<DispatchServices> {
  const { applicationName, clock, logger, codec } = services
  const store = await overlayStore(services.store)
  const instances = services.instances.emptyCopy()
  let made = 0
  return {
    ...services,
    store,
    instances,
    board: new ConsistencyBoard({ clock }),
    eventProcessing: 'async',
    telemetry: new Telemetry({ application: applicationName, clock, logger, instrumentation: undefined }),
    ids: { next: () => `dry-run-${++made}` },
    snapshots: new Snapshots({ store, codec, clock, logger, policies: new Map() }),
    follower: undefined,
    lifespans: new Lifespans({ clock, instances, logger }),
    standsInFor: services,
  }
}

function wantsOf({ model }: FollowerModel): (event: RecordedEvent) => boolean {
  const { types, filter = { types }, selector } = model
  const interest = { types, selects: interestOf({ filter, selector }) }
  return (event) => isOfInterest(interest, event)
}
