import type { BatchResult } from '../batches/batch-type.ts'
import type { DryRunReport } from '../batches/dry-run-type.ts'
import type { ApplicationBatches, ApplicationBatchesParts } from '../batches/workflow-body.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { RoutePlan } from '../dispatch/route-plan.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { batchParts } from './batch-parts.ts'
import type { CheckedDefinition } from './definition.ts'

/** What an application does with several commands at once, and with workflows. */
export class Transactions {
  readonly #parts: ApplicationBatchesParts
  readonly #dispatcher: Dispatcher
  /** Made at once where there are workflows, which bring it; else loaded where somebody asks for it. */
  #batches: ApplicationBatches | undefined

  constructor(
    definition: CheckedDefinition,
    services: DispatchServices,
    plans: ReadonlyMap<string, RoutePlan>,
    dispatcher: Dispatcher,
  ) {
    this.#parts = batchParts(definition, services, plans, (command) => dispatcher.planOf(command))
    this.#dispatcher = dispatcher
    const [first] = definition.workflows
    if (first === undefined) return
    this.#batches = first.makeBatches(this.#parts)
    dispatcher.followed = this.#batches
  }

  /** Undefined where no workflow needs it. */
  get batches(): ApplicationBatches | undefined {
    return this.#batches
  }

  async executeCommands(given: readonly unknown[]): Promise<BatchResult> {
    return this.#dispatcher.during(this.#loaded().then((batches) => batches.executeCommands(given)))
  }

  async dryRun(given: readonly unknown[]): Promise<DryRunReport> {
    return this.#dispatcher.during(this.#loaded().then((batches) => batches.dryRun(given)))
  }

  /** An application that runs no batch does not carry what runs them. */
  async #loaded(): Promise<ApplicationBatches> {
    if (this.#batches === undefined) {
      const { applicationBatches } = await import('../batches/application-batches.ts')
      this.#batches ??= applicationBatches(this.#parts)
    }
    return this.#batches
  }
}
