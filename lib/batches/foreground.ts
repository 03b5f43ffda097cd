import { CommandFailedError } from '../errors.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { ScheduledCommands } from '../routing/scheduling.ts'
import { Scheduler } from './scheduler.ts'
import type { WorkflowModel } from './workflow-model.ts'

/** The batch whose events are given to workflows. */
export interface ForegroundHost {
  readonly application: string
  readonly isDryRun: boolean
  readonly signal: AbortSignal
  /** Puts what a workflow schedules because of an event into the queue. */
  schedule(workflow: string, event: RecordedEvent, commands: readonly unknown[]): ScheduledCommands
  afterCommit(workflow: string, work: () => MaybePromise<unknown>): void
  /** Throws where nobody waits for the batch any more. */
  fence(): void
}

/** The workflows that run inside the transaction. */
export class Foreground {
  readonly #byType = new Map<string, WorkflowModel[]>()

  constructor(workflows: readonly WorkflowModel[]) {
    for (const workflow of workflows) {
      for (const type of workflow.types) this.#byType.set(type, [...(this.#byType.get(type) ?? []), workflow])
    }
  }

  /** Whether any of these events would concern a workflow. */
  follows(types: Iterable<string>): boolean {
    for (const type of types) if (this.#byType.has(type)) return true
    return false
  }

  get isEmpty(): boolean {
    return this.#byType.size === 0
  }

  /** The name of the first workflow that follows events of a type. */
  firstFollowing(type: string): string | undefined {
    return this.#byType.get(type)?.[0]?.name
  }

  following({ type }: RecordedEvent): readonly WorkflowModel[] {
    return this.#byType.get(type) ?? []
  }

  /** One event after another, each to the workflows in the order of their definition. */
  async run(events: readonly RecordedEvent[], host: ForegroundHost): Promise<void> {
    for (const event of events) {
      for (const workflow of this.#byType.get(event.type) ?? []) await this.#one(workflow, event, host)
    }
  }

  async #one(workflow: WorkflowModel, event: RecordedEvent, host: ForegroundHost): Promise<void> {
    const { name, handleByType } = workflow
    const recorded = forAnotherReader(event)
    const scheduler = new Scheduler(`the workflow ${name}`, (commands) => host.schedule(name, event, commands))
    try {
      await handleByType.get(event.type)?.(recorded.data, recorded, {
        executeCommands: scheduler.executeCommands,
        afterCommit: (work) => {
          scheduler.mustGoOn('afterCommit')
          host.afterCommit(name, work)
        },
        signal: host.signal,
        application: host.application,
        workflowName: name,
        isDryRun: host.isDryRun,
      })
    } catch (cause) {
      throw new CommandFailedError(`the workflow ${name}`, cause)
    } finally {
      scheduler.end()
    }
    host.fence()
  }
}
