import type { PreparedDispatch } from '../dispatch/dispatcher.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import type { NewQueuedCommand, QueuedCommand } from '../event-store/command-queue-store.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { EnqueueInfo } from '../telemetry/operations.ts'
import type { Attempted } from './command-run.ts'
import { priorityOf } from './lanes.ts'

interface Enqueued {
  readonly answer: { readonly status: 'enqueued' | 'known' }
}

const enqueued = {
  stopped: ({ answer }: Enqueued) => ({ status: answer.status }),
  failed: (error: unknown) => ({ error }),
}

/** Tells of stored commands. */
export class QueueTelemetry {
  readonly #telemetry: DispatchServices['telemetry']
  readonly #clock: DispatchServices['clock']

  constructor({ telemetry, clock }: Pick<DispatchServices, 'telemetry' | 'clock'>) {
    this.#telemetry = telemetry
    this.#clock = clock
  }

  /** `work` is given what an instrumentation adds to the metadata, so that the trace goes on where the command is run. */
  async enqueue<Result extends Enqueued>(
    made: NewQueuedCommand,
    prepared: PreparedDispatch,
    work: (added?: Metadata) => Promise<Result>,
  ): Promise<Result> {
    const telemetry = this.#telemetry
    if (!telemetry.watched.enqueue) return work()
    return telemetry.around('enqueue', enqueueInfo(made, prepared), work, enqueued)
  }

  /** A worker has come to an end with a command, and that is stored. `since` is when it began, by `moment`. */
  settled(command: QueuedCommand, { ending, error }: Attempted, since: number): void {
    if (ending.state === 'queued') return
    const failed = ending.state === 'delayed' || (ending.state === 'dead' && ending.failed)
    this.#telemetry.tell('command:settle', {
      command: command.type,
      commandId: command.commandId,
      correlationId: command.correlationId,
      causationId: command.causationId,
      streamId: command.streamId,
      tenant: command.tenant,
      priority: priorityOf(command.lane),
      state: ending.state,
      attempts: failed ? command.attempts + 1 : command.attempts,
      error,
      // Clocks of stores may be ahead.
      waited: Math.max(0, this.#clock.now() - command.enqueuedAt),
      duration: this.moment() - since,
      delay: ending.state === 'delayed' ? ending.delay : undefined,
    })
  }

  moment(): number {
    return this.#telemetry.moment()
  }
}

/** A command that is to be stored, as telemetry tells of it. */
function enqueueInfo(made: NewQueuedCommand, { command, plan, aggregateId }: PreparedDispatch): EnqueueInfo {
  const { commandId, correlationId, causationId, streamId, tenant, metadata, lane } = made
  return {
    ...{ command: command.type, commandId, correlationId, causationId, aggregate: plan.model.name, aggregateId },
    ...{ streamId, tenant, data: command.data, metadata, priority: priorityOf(lane) },
  }
}
