import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { SealedDefinition } from '../messages/sealed-message.ts'
import type { DiscardedEvents } from './discarded-events.ts'
import type { HandlerControl } from './handler-control.ts'
import type { RunnerOptions } from './runner-options.ts'
import type { ProcessManagerModel } from './process-manager-model.ts'

export interface ProcessRunnerOptions extends RunnerOptions {
  /** Of the application: it encodes the state of instances. */
  readonly codec: EventCodec
  /** All commands that the application takes, by type. */
  readonly commands: ReadonlyMap<string, SealedDefinition>
  /** What the parking that is given keeps up. @default its own, with a parking of its own */
  readonly discarded?: DiscardedEvents
}

/**
 * What an application sees of a process manager. It brings what runs it, so that an application without one does not carry it.
 */
export interface ProcessManagerBody {
  readonly name: string
  /** Its functions, for tests of them. */
  readonly model: ProcessManagerModel
  readonly makeRunner: (options: ProcessRunnerOptions) => HandlerControl
  /** The state of an instance as it is stored; undefined where it does not run. */
  readonly readState: (
    store: EventStore,
    codec: EventCodec,
    id: unknown,
    tenant: string | undefined,
  ) => MaybePromise<unknown>
}

const bodies = new WeakMap<object, ProcessManagerBody>()

export function keepProcessManagerBody(processManager: object, body: ProcessManagerBody): void {
  bodies.set(processManager, body)
}

/** What `processManager` prepared; undefined where the value is none. */
export function processManagerBodyOf(processManager: unknown): ProcessManagerBody | undefined {
  return typeof processManager === 'object' && processManager !== null ? bodies.get(processManager) : undefined
}
