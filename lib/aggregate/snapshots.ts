import type { Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { afterwards, contained, isLater, isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { describeThrown, InvalidOptionError } from '../errors.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { Snapshot } from '../event-store/snapshot.ts'
import { immutableCopy } from '../messages/immutable.ts'
import { frozenState } from './frozen-state.ts'
import type { HydratedStream, VersionedState } from './hydrate.ts'
import type { Instance } from './instance.ts'
import type { AggregateModel } from './model.ts'

/** When the state of an aggregate is kept. */
export interface SnapshotPolicy {
  /** After so many events since the last one; with `Infinity`, only when it is asked for. */
  readonly every: number
  /** Of the state's shape: a snapshot of another version is passed over. @default 1 */
  readonly version?: number
}

export interface SnapshotsOptions {
  readonly store: EventStore
  readonly codec: EventCodec
  readonly clock: Clock
  readonly logger: Logger
  /** By the name of the aggregate. */
  readonly policies: ReadonlyMap<string, Required<SnapshotPolicy>>
}

/**
 * Keeps states, so that an aggregate of many events need not be folded from its first one. A snapshot is a short cut and never the
 * truth: one that cannot be read, or written, costs time and a warning.
 */
export class Snapshots {
  readonly #options: SnapshotsOptions
  readonly #saving = new Set<PromiseLike<void>>()

  constructor(options: SnapshotsOptions) {
    this.#options = options
  }

  /** Where folding may begin: at the last snapshot up to a version, or at the beginning. */
  load(stream: HydratedStream, toVersion = Infinity): MaybePromise<VersionedState> {
    const { model, streamId } = stream
    const policy = this.#options.policies.get(model.name)
    if (policy === undefined) return beginning(model)
    const restored = contained(
      () =>
        afterwards(this.#options.store.readSnapshot(streamId), (found) =>
          this.#restore(stream, policy.version, toVersion, found),
        ),
      (error) => this.#passOver(model, streamId, error),
    )
    // Who waits for it knows real promises alone.
    return isPromiseLike(restored) ? Promise.resolve(restored) : restored
  }

  /** The version is looked at before anything is decoded: an old shape may not be readable at all. */
  #restore(
    { model, tenant }: HydratedStream,
    version: number,
    toVersion: number,
    snapshot: Snapshot | undefined,
  ): MaybePromise<VersionedState> {
    if (snapshot?.snapshotVersion !== version || snapshot.category !== model.name) return beginning(model)
    if (snapshot.streamVersion > toVersion) return beginning(model)
    const restored = (state: unknown): VersionedState => ({
      state: frozenState(state),
      version: snapshot.streamVersion,
      snapshotVersion: snapshot.streamVersion,
    })
    const state = this.#options.codec.decodeSnapshot(snapshot, tenant)
    return isPromiseLike(state) ? Promise.resolve(state).then(restored) : restored(state)
  }

  #passOver(model: AggregateModel, streamId: string, error: unknown): VersionedState {
    this.#warn(streamId, error, 'cannot be read; the state is rebuilt from its events')
    return beginning(model)
  }

  /** Keeps the instance's state where enough has happened since it was kept last. The command's caller does not wait for it. */
  afterCommit(instance: Instance): void {
    const policy = this.#options.policies.get(instance.model.name)
    if (policy === undefined || instance.version - instance.snapshotVersion < policy.every) return
    // Also where it fails: it is not tried again with each command, but when as many events have come again.
    instance.snapshotVersion = instance.version
    const { streamId, state, version } = instance
    const saving = Promise.resolve()
      .then(() => this.#save(instance, { state, version }, policy.version))
      .catch((error: unknown) => {
        this.#warn(streamId, error, 'cannot be saved')
      })
      .then(() => {
        this.#saving.delete(saving)
      })
    this.#saving.add(saving)
  }

  /**
   * Keeps a state now, and says so where that fails.
   *
   * @throws {InvalidOptionError} `invalid_option` where the application has no policy for the aggregate, and would not read it
   */
  async keep(stream: HydratedStream, of: VersionedState): Promise<void> {
    const { model } = stream
    const policy = this.#options.policies.get(model.name)
    if (policy === undefined) {
      throw new InvalidOptionError(
        `the application's snapshots do not name ${model.name}, so that nobody would read one: { every: Infinity } keeps only those that are asked for`,
      )
    }
    await this.#save(stream, of, policy.version)
  }

  async #save(
    { model, streamId, tenant }: HydratedStream,
    { state, version }: VersionedState,
    shape: number,
  ): Promise<void> {
    const { store, codec, clock } = this.#options
    const copied = immutableCopy(state, { allowInstances: false })
    if ('issue' in copied) throw new TypeError(`the state of ${model.name} is not plain data: ${copied.issue.message}`)
    const head = {
      ...{ streamId, category: model.name, streamVersion: version, snapshotVersion: shape },
      createdAt: clock.now(),
    }
    const encoded = codec.encodeSnapshot(copied.value, head, tenant)
    const data = isLater(encoded) ? await encoded : encoded
    await store.saveSnapshot({ ...head, contentType: codec.contentType, data })
  }

  /** Resolves when no snapshot is being saved. */
  async idle(): Promise<void> {
    await Promise.all(this.#saving)
  }

  #warn(streamId: string, error: unknown, what: string): void {
    this.#options.logger.warn({ streamId, error }, `the snapshot of ${streamId} ${what}: ${describeThrown(error)}`)
  }
}

function beginning(model: AggregateModel): VersionedState {
  return { state: model.initialState(), version: 0 }
}
