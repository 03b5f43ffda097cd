import type { ExecutionContext } from '../aggregate/execution-context.ts'
import type { EventSource } from '../dispatch/new-events.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { UnitRoot } from './unit-root.ts'

/** In whose name a root is used. */
export interface RootUse {
  readonly source: EventSource
  readonly context: ExecutionContext
  /** Lets user code do something; what it throws is known for the unit's own. */
  guarded<Value>(work: () => Value): Value
}

/** A root in the hands of user code. */
export class BoundRoot {
  readonly #root: UnitRoot
  readonly #use: RootUse

  constructor(root: UnitRoot, use: RootUse) {
    this.#root = root
    this.#use = use
    Object.freeze(this)
  }

  get id(): string {
    return this.#root.instance.aggregateId
  }

  get version(): number {
    return this.#root.version
  }

  get isNew(): boolean {
    return this.#root.loadedVersion === 0
  }

  get state(): unknown {
    return this.#root.state
  }

  execute(command: unknown): readonly SealedMessage[] {
    const { source, context } = this.#use
    return this.#use.guarded(() => this.#root.execute(source, command, context).events)
  }

  raise(events: unknown): void {
    const { source } = this.#use
    const who = `raise of ${this.#root.instance.model.name}`
    this.#use.guarded(() => {
      this.#root.settle(source, source.command?.type ?? who, who, () => events)
    })
  }
}
