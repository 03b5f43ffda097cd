import type { MaybePromise } from '../effects/maybe-promise.ts'
import { asEdictError } from '../errors.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { outcomeOf } from '../telemetry/dispatch-outcome.ts'
import type { DispatchFailed, DispatchStopped } from '../telemetry/operations.ts'
import type { OperationEnd, Telemetry } from '../telemetry/telemetry.ts'
import { commandInfo, whereabouts } from './observed-execution.ts'
import type { Way } from './way.ts'

/** What telemetry has to know of a command. */
export type ObservedCommand = Parameters<typeof commandInfo>[0] & {
  readonly command: { readonly data: unknown }
  metadata: Metadata
}

/** One dispatch that somebody wants to know of: from its call to its answer, the wait for its turn included. */
export class ObservedDispatch implements Way, OperationEnd<'dispatch', ExecutionResult> {
  readonly #telemetry: Telemetry
  readonly #execution: ObservedCommand
  readonly #way: Way
  readonly #since: number

  constructor(telemetry: Telemetry, execution: ObservedCommand, way: Way) {
    this.#telemetry = telemetry
    this.#execution = execution
    this.#way = way
    this.#since = telemetry.moment()
  }

  start(): MaybePromise<ExecutionResult> {
    return this.#observe(() => this.#way.start())
  }

  startLater(): MaybePromise<ExecutionResult> {
    return this.#observe(() => this.#way.startLater())
  }

  #observe(work: () => MaybePromise<ExecutionResult>): MaybePromise<ExecutionResult> {
    const execution = this.#execution
    const { command, metadata } = execution
    const info = { ...commandInfo(execution), data: command.data, metadata }
    const within = (added?: Metadata): MaybePromise<ExecutionResult> => {
      if (added !== undefined) execution.metadata = Object.freeze({ ...metadata, ...added })
      return work()
    }
    return this.#telemetry.around('dispatch', info, within, this, this.#since)
  }

  stopped({ aggregateVersion, events }: ExecutionResult): DispatchStopped {
    const { metadata } = this.#execution
    return { outcome: 'executed', aggregateVersion, metadata, ...whereabouts(this.#execution), events }
  }

  failed(thrown: unknown): DispatchFailed {
    const error = asEdictError(thrown, 'the dispatch')
    // Where an error has one, it is what a dispatch would have given.
    const result = error.executionResult as ExecutionResult | undefined
    const { metadata } = this.#execution
    const { aggregateVersion, events = [] } = result ?? { aggregateVersion: undefined }
    return { outcome: outcomeOf(error), error, metadata, ...whereabouts(this.#execution), aggregateVersion, events }
  }
}
