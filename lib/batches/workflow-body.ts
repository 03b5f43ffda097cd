import type { HandlerControl } from '../subscribers/handler-control.ts'
import type { HandlerModel } from '../subscribers/handler-model.ts'
import type { RunnerOptions } from '../subscribers/runner-options.ts'
import type { Random } from '../effects/ids.ts'
import type { FollowedCommands } from '../dispatch/followed-commands.ts'
import type { DispatchDefaults, RoutePlan } from '../dispatch/route-plan.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import type { ProcessManagerModel } from '../subscribers/process-manager-model.ts'
import type { BatchResult, BatchRunner } from './batch-type.ts'
import type { DryRunFollower, DryRunReport } from './dry-run-type.ts'
import type { WorkflowModel } from './workflow-model.ts'

/** A follower of events, as far as a dry run has to know it. */
export interface FollowerModel {
  readonly kind: DryRunFollower['kind']
  readonly model: Pick<HandlerModel, 'name' | 'types'> & Partial<Pick<HandlerModel, 'filter' | 'selector'>>
}

/** What an application does in transactions: batches, commands that workflows follow, and dry runs of both. */
export interface ApplicationBatches extends BatchRunner, FollowedCommands {
  executeCommands(given: readonly unknown[]): Promise<BatchResult>
  dryRun(given: readonly unknown[]): Promise<DryRunReport>
}

export interface ApplicationBatchesParts {
  readonly services: DispatchServices
  readonly random: Random
  readonly defaults: DispatchDefaults
  /** By command type. */
  readonly plans: ReadonlyMap<string, RoutePlan>
  /** @throws {EdictError} where a value is no command of the application */
  readonly planOf: (command: unknown) => RoutePlan
  readonly limits: { readonly maxDepth: number; readonly maxCommands: number }
  readonly workflows: readonly WorkflowBody[]
  readonly processManagers: readonly ProcessManagerModel[]
  /** All who follow events, in the order of their definition. */
  readonly followers: readonly FollowerModel[]
}

interface AnyBody {
  readonly model: WorkflowModel
  /** What runs batches in an application. */
  readonly makeBatches: (parts: ApplicationBatchesParts) => ApplicationBatches
}

/** One that runs inside the transaction. */
export interface ForegroundBody extends AnyBody {
  readonly kind: 'foreground'
}

/** One that runs after the commit. It brings what runs it. */
export interface BackgroundBody extends AnyBody {
  readonly kind: 'background'
  /** As which it follows the events. */
  readonly handler: HandlerModel
  readonly makeRunner: (options: RunnerOptions, batches: BatchRunner) => HandlerControl
}

/** What an application sees of a workflow, which brings what runs it: an application without one does not carry it. */
export type WorkflowBody = ForegroundBody | BackgroundBody

const bodies = new WeakMap<object, WorkflowBody>()

export function keepWorkflowBody(workflow: object, body: WorkflowBody): void {
  bodies.set(workflow, body)
}

/** What `workflow` prepared; undefined where the value is no workflow. */
export function workflowBodyOf(workflow: unknown): WorkflowBody | undefined {
  return typeof workflow === 'object' && workflow !== null ? bodies.get(workflow) : undefined
}
