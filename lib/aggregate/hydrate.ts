import type { Fairness } from '../effects/fairness.ts'
import { isLater, proceed, type MaybePromise } from '../effects/maybe-promise.ts'
import {
  CategoryMismatchError,
  StreamClosedError,
  TenantMismatchError,
  UnreadableEventError,
  describeThrown,
  isEdictError,
} from '../errors.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { EventStore, StreamSlice } from '../event-store/event-store.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { AppliedEvent } from './apply.ts'
import type { AggregateModel } from './model.ts'
import { isAmbiguous } from './tenant.ts'

/** How many events are read at a time. */
const SLICE_EVENTS = 1_000

/** A state, and the version of the stream that it is of. */
export interface VersionedState {
  readonly state: unknown
  readonly version: number
  /** The version of the snapshot that it was folded from. Default: none. */
  readonly snapshotVersion?: number
}

const populated = {
  stopped: ({ version }: VersionedState) => ({ version }),
  failed: (error: unknown) => ({ error }),
}

/** Where streams are read from. */
export interface HydrationSource {
  readonly store: Pick<EventStore, 'readStream'>
  readonly codec: EventCodec
  readonly fairness: Fairness
  /** @default nobody is told */
  readonly telemetry?: Telemetry
}

/** Whose stream is read, and as what. */
export interface HydratedStream {
  readonly model: AggregateModel
  readonly streamId: string
  readonly tenant: string | undefined
}

/** Brings a state up to the end of its stream, or to an earlier version of it. */
export class Hydration {
  readonly #source: HydrationSource
  readonly #stream: HydratedStream
  /** For whom it is read: once nobody waits for it any more, there is no use in going on. */
  readonly #reader: { readonly failure: Error | undefined } | undefined
  readonly #toVersion: number
  #state: unknown
  #version: number
  #slice: StreamSlice | undefined
  #at = 0
  #startedAnew = false
  /** A snapshot does not say whose it is; the event that it was made after does. */
  #looksBack: boolean

  constructor(
    source: HydrationSource,
    stream: HydratedStream,
    from: VersionedState,
    reader?: { readonly failure: Error | undefined },
    toVersion = Infinity,
  ) {
    this.#source = source
    this.#stream = stream
    this.#state = from.state
    this.#version = from.version
    this.#reader = reader
    this.#toVersion = toVersion
    this.#looksBack = (from.snapshotVersion ?? 0) > 0 && isAmbiguous(stream.streamId)
  }

  /**
   * @throws {CategoryMismatchError} `category_mismatch` where the stream is another aggregate's; TenantMismatchError
   *   `tenant_mismatch` where it is another tenant's; StreamClosedError `stream_closed` where it is deleted
   */
  run(): MaybePromise<VersionedState> {
    const { telemetry } = this.#source
    if (telemetry?.watched.populate !== true) return this.#run()
    const { model, streamId } = this.#stream
    const info = { aggregate: model.name, streamId, fromVersion: this.#version }
    return telemetry.around('populate', info, () => this.#run(), populated)
  }

  #run(): MaybePromise<VersionedState> {
    for (;;) {
      if (this.#reader?.failure) throw this.#reader.failure
      const seen = this.#looksBack ? this.#version - 1 : this.#version
      const slice: MaybePromise<StreamSlice> = this.#source.store.readStream(this.#stream.streamId, {
        fromVersion: seen + 1,
        maxCount: Math.min(SLICE_EVENTS, this.#toVersion - seen),
      })
      if (isLater(slice)) return proceed(slice, this, this.#sliceRead)
      const folded = this.#fold(slice)
      if (isLater(folded)) return proceed(folded, this, this.#folded)
      if (this.#done()) return this.#result()
      if (this.#source.fairness.turnDue()) return this.#source.fairness.turn().then(() => this.#run())
    }
  }

  #sliceRead(slice: StreamSlice): MaybePromise<VersionedState> {
    return proceed(this.#fold(slice), this, this.#folded)
  }

  #folded(): MaybePromise<VersionedState> {
    return this.#done() ? this.#result() : this.#run()
  }

  #fold(slice: StreamSlice): MaybePromise<void> {
    const { model, streamId } = this.#stream
    if (slice.category !== undefined && slice.category !== model.name) {
      throw new CategoryMismatchError(streamId, model.name, slice.category)
    }
    if (slice.state === 'deleted') throw new StreamClosedError(streamId, 'deleted')
    this.#looksBack = false
    // A store that was put back to an earlier state is right; what was known of its stream is of a past that is no more.
    this.#startedAnew = slice.streamVersion < this.#version
    if (this.#startedAnew) {
      this.#state = model.initialState()
      this.#version = 0
    }
    this.#slice = slice
    this.#at = 0
    return this.#foldOn()
  }

  #foldOn(): MaybePromise<void> {
    const { events } = this.#slice as StreamSlice
    const { tenant } = this.#stream
    while (this.#at < events.length) {
      const stored = events[this.#at++]
      if (stored === undefined) continue
      if (stored.tenant !== tenant) throw new TenantMismatchError(stored.streamId, tenant, stored.tenant)
      if (stored.streamVersion <= this.#version) continue
      if (this.#source.codec.readsAsStored(stored)) {
        this.#apply(stored, stored)
        this.#version = stored.streamVersion
        continue
      }
      const decoded = this.#source.codec.decode(stored)
      if (isLater(decoded)) {
        return decoded.then((recorded) => {
          for (const event of recorded) this.#apply(event, stored)
          this.#version = stored.streamVersion
          return this.#foldOn()
        })
      }
      for (const event of decoded) this.#apply(event, stored)
      this.#version = stored.streamVersion
    }
  }

  #apply(event: AppliedEvent, { streamVersion }: StoredEvent): void {
    try {
      this.#state = this.#stream.model.apply(this.#state, event)
    } catch (cause) {
      if (isEdictError(cause)) throw cause
      const { model, streamId } = this.#stream
      const what = `${event.type}, version ${streamVersion} of ${streamId}`
      throw new UnreadableEventError(`${model.name}'s apply of ${what}, failed: ${describeThrown(cause)}`, {
        cause,
      })
    }
  }

  #done(): boolean {
    const { events, streamVersion } = this.#slice as StreamSlice
    if (this.#version >= Math.min(streamVersion, this.#toVersion)) return true
    return events.length === 0 && !this.#startedAnew
  }

  #result(): VersionedState {
    return { state: this.#state, version: this.#version }
  }
}
