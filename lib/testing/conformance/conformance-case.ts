import type { EventStoreCapabilities } from '../../event-store/event-store.ts'
import type { StoreUnderTest } from './store-under-test.ts'

/** A sentence about the behaviour of an event store, and what proves it. */
export interface CaseDefinition {
  readonly name: string
  readonly run: (tested: StoreUnderTest) => Promise<void>
  /** Why the case does not concern a store of these capabilities; undefined where it does. */
  readonly skip?: (capabilities: EventStoreCapabilities) => string | undefined
  /** The case opens and closes the store by itself. */
  readonly closed?: boolean
}

/** The cases about one matter. */
export interface CaseGroup {
  readonly name: string
  readonly cases: readonly CaseDefinition[]
}

export const unlessAtomic = (capabilities: EventStoreCapabilities) =>
  capabilities.atomicStreams ? undefined : 'the store appends to several streams one by one (no atomicStreams)'

export const unlessDurable = (capabilities: EventStoreCapabilities) =>
  capabilities.durable ? undefined : 'the store keeps nothing beyond its process (not durable)'

export const unlessMultiProcess = (capabilities: EventStoreCapabilities) =>
  capabilities.multiProcess ? undefined : 'the store belongs to one process (not multiProcess)'

export const unlessProjections = (capabilities: EventStoreCapabilities) =>
  capabilities.projections ? undefined : 'the store has no tables for projections (no projections)'

export const unlessCommands = (capabilities: EventStoreCapabilities) =>
  capabilities.commands ? undefined : 'the store keeps no commands that are run later (no commands)'

export const unlessObjects = (capabilities: EventStoreCapabilities) =>
  capabilities.values === 'objects' ? undefined : "the store keeps encoded data (values: 'encoded')"

export const unlessEncoded = (capabilities: EventStoreCapabilities) =>
  capabilities.values === 'encoded' ? undefined : "the store keeps values as they are (values: 'objects')"
