import { afterwards, isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { UnreadableEventError, describeThrown } from '../errors.ts'
import { flatImmutableCopy, handedOver, holdsBinary, immutableCopy } from '../messages/immutable.ts'
import type { Metadata, RecordedEvent } from '../messages/recorded-event.ts'
import type { Serializer } from '../messages/serializer.ts'
import { upcastThrough, type UpcastEvent, type Upcaster } from '../messages/upcaster.ts'
import { recordedEvent } from './recorded-event.ts'
import type { EventStoreCapabilities } from './event-store.ts'
import type { Snapshot } from './snapshot.ts'
import { FACT_CONTENT_TYPE, OBJECT_CONTENT_TYPE, type StoredEvent } from './stored-event.ts'

export interface EventCodecOptions {
  readonly serializer: Serializer
  /** Whether the serializer was chosen by the user: then it encodes for every store, also for one that keeps values. */
  readonly serializerChosen: boolean
  readonly upcasters: readonly Upcaster[]
  readonly values: EventStoreCapabilities['values']
}

/** What a value is encoded for. */
export interface EncodedFor {
  readonly type: string
  readonly schemaVersion: number
  readonly streamId: string
  readonly category: string
  readonly metadata: Metadata
  readonly tenant?: string | undefined
  readonly snapshot?: true
  readonly command?: true
}

/** Serializer and upcasters between the store and everyone who reads or writes. */
export class EventCodec {
  /** The content type of what `encode` gives. */
  readonly contentType: string
  readonly #serializer: Serializer
  readonly #upcasters: readonly Upcaster[]
  readonly #passThrough: boolean

  constructor(options: EventCodecOptions) {
    this.#serializer = options.serializer
    this.#upcasters = options.upcasters
    this.#passThrough = options.values === 'objects' && !options.serializerChosen
    this.contentType = this.#passThrough ? OBJECT_CONTENT_TYPE : options.serializer.contentType
  }

  /** Whether a stored event is what its reader gets, as far as type and data go. */
  readsAsStored(stored: StoredEvent): boolean {
    if (this.#upcasters.length > 0 || stored.contentType !== OBJECT_CONTENT_TYPE || stored.tombstone === true)
      return false
    return !holdsBinary(stored.data)
  }

  /** Written events as they will be read: upcasters may turn them into others. */
  asRead(written: readonly RecordedEvent[]): readonly RecordedEvent[] {
    if (this.#upcasters.length === 0) return written
    return written.flatMap((event) =>
      upcastThrough(this.#upcasters, event).map((read, index) =>
        read === event ? event : { ...event, ...read, data: read.data as RecordedEvent['data'], index },
      ),
    )
  }

  /** Whether data goes into the store as the frozen value that it is. */
  get passesThrough(): boolean {
    return this.#passThrough
  }

  /** @throws {TypeError} where the serializer gives what no store could keep and no serializer could read */
  encode(data: unknown, context: EncodedFor): MaybePromise<unknown> {
    if (this.#passThrough) return data
    const encoded: unknown = this.#serializer.encode(data, context)
    return isPromiseLike(encoded) ? Promise.resolve(encoded).then(checkedEncoding) : checkedEncoding(encoded)
  }

  /**
   * The events that are read today where this one was stored: mostly one; none for a tombstone, or where an upcaster says so.
   *
   * @throws {UnreadableEventError} `unreadable_event`, with the cause, naming type, stream and version
   */
  decode(stored: StoredEvent): MaybePromise<readonly RecordedEvent[]> {
    if (stored.tombstone) return NONE
    try {
      const data = this.#decodeData(stored)
      if (!isPromiseLike(data)) return this.#upcast(stored, this.#own(stored, data))
      return Promise.resolve(data).then(
        (decoded) => this.#guarded(stored, () => this.#upcast(stored, this.#own(stored, decoded))),
        (cause: unknown) => {
          throw unreadable(stored, cause)
        },
      )
    } catch (cause) {
      throw unreadable(stored, cause)
    }
  }

  /** Read data is as immutable as made data, which a store that keeps values gives back itself. */
  #own({ contentType }: Pick<StoredEvent, 'contentType'>, data: unknown): unknown {
    return contentType === OBJECT_CONTENT_TYPE ? data : frozen(data)
  }

  #guarded<Value>(stored: StoredEvent, work: () => Value): Value {
    try {
      return work()
    } catch (cause) {
      throw unreadable(stored, cause)
    }
  }

  /** The state that a snapshot was made of; it is nobody's yet, and not frozen. */
  decodeSnapshot(snapshot: Snapshot, tenant: string | undefined): MaybePromise<unknown> {
    return this.#decodeData({ ...snapshot, ...snapshotContext(snapshot, tenant) })
  }

  /** As `encode`, for the state of an aggregate. */
  encodeSnapshot(
    state: unknown,
    snapshot: Omit<Snapshot, 'data' | 'contentType'>,
    tenant: string | undefined,
  ): MaybePromise<unknown> {
    return this.encode(state, snapshotContext(snapshot, tenant))
  }

  /** The data of a stored command, which is encoded as that of an event, and is frozen. */
  decodeCommand(stored: EncodedFor & Pick<StoredEvent, 'contentType' | 'data'>): MaybePromise<unknown> {
    return afterwards(this.#decodeData(stored), (data) => this.#own(stored, data))
  }

  #decodeData(stored: EncodedFor & Pick<StoredEvent, 'contentType' | 'data'>): MaybePromise<unknown> {
    // The store's own bytes are no reader's.
    if (stored.contentType === OBJECT_CONTENT_TYPE) return handedOver(stored.data)
    if (stored.contentType !== this.#serializer.contentType) {
      if (stored.contentType === FACT_CONTENT_TYPE) return JSON.parse(stored.data as string) as unknown
      throw new Error(`it is stored as ${stored.contentType}, the serializer reads ${this.#serializer.contentType}`)
    }
    const decoded = this.#serializer.decode(stored.data as string | Uint8Array, stored)
    return isPromiseLike(decoded) ? Promise.resolve(decoded) : decoded
  }

  #upcast(stored: StoredEvent, data: unknown): readonly RecordedEvent[] {
    if (this.#upcasters.length === 0) return [recordedEvent(stored, data)]
    const { type, schemaVersion } = stored
    const before: UpcastEvent = { type, schemaVersion, data, metadata: stored.metadata }
    return upcastThrough(this.#upcasters, before).map((event, index) =>
      event === before
        ? recordedEvent(stored, data)
        : recordedEvent({ ...stored, ...event }, frozen(event.data), index),
    )
  }
}

/** To a serializer a state is a value of the aggregate's name, in the version of its shape. */
function snapshotContext(
  { streamId, category, snapshotVersion }: Pick<Snapshot, 'streamId' | 'category' | 'snapshotVersion'>,
  tenant: string | undefined,
): EncodedFor {
  return { type: category, schemaVersion: snapshotVersion, streamId, category, metadata: {}, tenant, snapshot: true }
}

const NONE: readonly RecordedEvent[] = Object.freeze([])

function checkedEncoding(encoded: unknown): string | Uint8Array {
  if (typeof encoded === 'string' || encoded instanceof Uint8Array) return encoded
  const kind = encoded === null ? 'null' : typeof encoded
  throw new TypeError(`its encode gave a value of type ${kind}: a serializer gives a string or a Uint8Array`)
}

function frozen(data: unknown): unknown {
  const flat = flatImmutableCopy(data)
  if (flat !== undefined) return flat
  const result = immutableCopy(data, { allowInstances: false })
  if ('issue' in result) throw new Error(result.issue.message)
  return result.value
}

function unreadable(stored: StoredEvent, cause: unknown): UnreadableEventError {
  if (cause instanceof UnreadableEventError) return cause
  const where = `${stored.type}, version ${stored.streamVersion} of ${stored.streamId}`
  return new UnreadableEventError(`cannot read ${where}: ${describeThrown(cause)}`, { cause })
}
