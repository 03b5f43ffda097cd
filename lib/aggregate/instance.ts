import { EventIdSeed } from '../messages/event-id.ts'
import { Mailbox } from './mailbox.ts'
import type { AggregateModel } from './model.ts'

/** The version of an instance that has not been read from its stream yet. */
export const NOT_LOADED = -1

/** One aggregate in memory: where its stream stood when it was last seen, and the state that this comes to. */
export class Instance {
  readonly model: AggregateModel
  readonly aggregateId: string
  readonly streamId: string
  readonly tenant: string | undefined
  readonly mailbox = new Mailbox()
  readonly eventIds: EventIdSeed
  state: unknown = undefined
  version = NOT_LOADED
  /** The version of which its state was kept last; 0 where it never was. */
  snapshotVersion = 0
  /** Neighbours in the cache, in the order of use. */
  newer: Instance | undefined
  older: Instance | undefined

  constructor(model: AggregateModel, aggregateId: string, streamId: string, tenant?: string) {
    this.model = model
    this.aggregateId = aggregateId
    this.streamId = streamId
    this.tenant = tenant
    this.eventIds = new EventIdSeed(streamId)
  }
}
