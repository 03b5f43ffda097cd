import { modelOf } from '../aggregate/aggregate.ts'
import type { ExecutionContext } from '../aggregate/execution-context.ts'
import type { InstanceGroup } from '../aggregate/instance-cache.ts'
import type { EventSource } from '../dispatch/new-events.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import {
  AggregateExistsError,
  AggregateNotFoundError,
  InvalidOptionError,
  UnitOfWorkMisuseError,
  isEdictError,
} from '../errors.ts'
import { identityText } from '../routing/identity.ts'
import { BoundRoot, type RootUse } from './bound-root.ts'
import { CommittedBeforeSignal, type Unit } from './unit.ts'
import type { UnitRoot } from './unit-root.ts'

/** The repository of one command in a unit, or of a unit that is no command's: what is done by it is done in that command's name. */
export class UnitRepository implements RootUse {
  readonly source: EventSource
  readonly context: ExecutionContext
  readonly #services: DispatchServices
  readonly #unit: Unit
  readonly #bound = new Map<UnitRoot, BoundRoot>()
  readonly #roots = new WeakMap<object, UnitRoot>()
  /** What it threw by itself, as against what user code threw. */
  readonly #thrown = new WeakSet()
  #ended = false

  constructor(services: DispatchServices, unit: Unit, source: EventSource, context: ExecutionContext) {
    this.#services = services
    this.#unit = unit
    this.source = source
    this.context = context
  }

  async get(aggregate: object, identity: unknown): Promise<BoundRoot> {
    return this.#told(async () => {
      const root = await this.#load(aggregate, identity)
      const { model, aggregateId } = root.instance
      if (root.version === 0) throw new AggregateNotFoundError(model.name, aggregateId)
      return this.#bind(root)
    })
  }

  async find(aggregate: object, identity: unknown): Promise<BoundRoot | undefined> {
    return this.#told(async () => {
      const root = await this.#load(aggregate, identity)
      return root.version === 0 ? undefined : this.#bind(root)
    })
  }

  async create(aggregate: object, identity: unknown): Promise<BoundRoot> {
    return this.#told(async () => {
      const root = await this.#load(aggregate, identity)
      const { model, aggregateId } = root.instance
      if (root.version > 0) throw new AggregateExistsError(model.name, aggregateId)
      return this.#bind(root)
    })
  }

  add(bound: object): void {
    this.guarded(() => {
      const root = this.#roots.get(bound)
      if (root === undefined) {
        throw new UnitOfWorkMisuseError('repository.add(…) takes an aggregate that this very repository gave')
      }
      this.#unit.add(root)
    })
  }

  guarded<Value>(work: () => Value): Value {
    try {
      this.#mustGoOn()
      return work()
    } catch (error) {
      throw this.#note(error)
    }
  }

  /** Whether it threw something: then that says already what went wrong, and in whose hands. */
  hasThrown(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#thrown.has(error)
  }

  /** Whoever kept it, or a root of it, can do no more with it. */
  end(): void {
    this.#ended = true
  }

  async #told<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      this.#mustGoOn()
      return await work()
    } catch (error) {
      throw this.#note(error)
    }
  }

  #note(error: unknown): unknown {
    if (isEdictError(error) || error instanceof CommittedBeforeSignal) this.#thrown.add(error)
    return error
  }

  #mustGoOn(): void {
    if (this.#ended) {
      throw new UnitOfWorkMisuseError('the unit of work has ended: what it loaded can be used no more, load it anew')
    }
  }

  async #load(aggregate: object, identity: unknown): Promise<UnitRoot> {
    const group = this.#groupOf(aggregate).of(this.source.tenant)
    const aggregateId = identityText(identity, `the identity of a ${group.model.name}`)
    const root = await this.#unit.load(group, aggregateId, this.source)
    this.#mustGoOn()
    return root
  }

  #groupOf(aggregate: object): InstanceGroup {
    const model = modelOf(aggregate)
    const group = model && this.#services.instances.groupOf(model)
    if (group !== undefined) return group
    const { applicationName } = this.#services
    throw new InvalidOptionError(
      model === undefined
        ? 'repository: that is no aggregate(…)'
        : `repository: no router of the application ${applicationName} identifies ${model.name}`,
    )
  }

  #bind(root: UnitRoot): BoundRoot {
    const known = this.#bound.get(root)
    if (known !== undefined) return known
    const bound = new BoundRoot(root, this)
    this.#bound.set(root, bound)
    this.#roots.set(bound, root)
    return bound
  }
}
