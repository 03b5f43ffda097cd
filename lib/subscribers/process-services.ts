import type { Clock } from '../effects/clock.ts'
import type { Random } from '../effects/ids.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { CheckpointHold } from '../event-store/checkpoint.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedDefinition } from '../messages/sealed-message.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { DiscardedEvents } from './discarded-events.ts'
import type { DispatchFromHandler } from './handler-context.ts'
import type { ParkingLot } from './parking.ts'
import type { ProcessFailures } from './process-failures.ts'
import type { ProcessInstance } from './process-instance.ts'
import type { ProcessManagerModel } from './process-manager-model.ts'
import type { ProcessRecords } from './process-records.ts'

/** What all turns of a running process manager share. */
export interface ProcessServices {
  readonly model: ProcessManagerModel
  readonly records: ProcessRecords
  readonly failures: ProcessFailures
  readonly commands: ReadonlyMap<string, SealedDefinition>
  readonly clock: Clock
  readonly random: Random
  readonly dispatch: DispatchFromHandler
  readonly telemetry: Telemetry | undefined
  /** The application's name. */
  readonly application: string
  /** Aborts when the process manager is stopped. */
  readonly signal: AbortSignal
  /** The claim of the process manager; undefined where it is lost. */
  hold(): CheckpointHold | undefined
  /** Whether something may be begun, or tried again: not where the process manager is stopped, or has lost its place. */
  mayGoOn(): MaybePromise<boolean>
  /** Waits, and lets others work meanwhile. False where the process manager is stopped, or loses its place. */
  pause(milliseconds: number): Promise<boolean>
  /** Another owner has taken the process manager over. */
  lost(): void
  /** The instance is over as of a position: what is kept of it is deleted when the store knows that all events up to there are handled. */
  isOver(instance: ProcessInstance, position: number): void
  /** The instance goes on, whatever was said before. */
  goesOn(instance: ProcessInstance): void
  readonly parking: ParkingLot
  readonly discarded: Pick<DiscardedEvents, 'has'>
  /** Something was parked. */
  parked(): void
  /** The event in hand of an instance has failed so often. */
  troubled(instance: ProcessInstance, failures: number): void
  /** The process manager stops before this event. */
  failed(error: unknown, recorded: RecordedEvent): void
  log(level: 'warn' | 'error', error: unknown, recorded: RecordedEvent, what: string): void
}
