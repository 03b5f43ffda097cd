import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { HeldEvent } from './events-in-hand.ts'
import { CommandIds } from './process-command-id.ts'
import type { ProcessRoute } from './process-interest.ts'
import { processParkingKey, processStateId } from './process-name.ts'
import type { ProcessRecord } from './process-record.ts'

/** An event that an instance is to handle. */
export interface ProcessTask {
  readonly recorded: RecordedEvent
  readonly route: ProcessRoute
  /** Undefined where it was parked, and is replayed. */
  readonly held: HeldEvent | undefined
  /** Told of a replay: whether it could be begun, or what it failed with. */
  readonly replay?: { resolve(handled: boolean): void; reject(error: unknown): void }
}

/** An instance in memory: what is known of it, and what waits for it. */
export class ProcessInstance {
  readonly id: string
  readonly tenant: string | undefined
  /** Under which its state is kept. */
  readonly stateId: string
  /** Under which its events are parked. */
  readonly parkingKey: string
  readonly commandIds: CommandIds
  /** Undefined where it has not been read. */
  record: ProcessRecord | undefined
  readonly tasks: ProcessTask[] = []
  /** It is at work, or waits for its turn. */
  busy = false
  /** It is over, and what is kept of it is still to be deleted. */
  isEnding = false
  /** When it was last at work. */
  usedAt = 0

  constructor(name: string, id: string, tenant: string | undefined) {
    this.id = id
    this.tenant = tenant
    this.stateId = processStateId(name, id, tenant)
    this.parkingKey = processParkingKey(id, tenant)
    this.commandIds = new CommandIds(this.stateId)
  }
}
