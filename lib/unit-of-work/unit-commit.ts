import { newEvents } from '../dispatch/new-events.ts'
import { takenMeanwhile } from '../dispatch/reservations.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { synchronousEvents } from '../dispatch/synchronous-events.ts'
import {
  CategoryMismatchError,
  StoreError,
  StreamClosedError,
  VersionConflictError,
  type UniqueValueTakenError,
} from '../errors.ts'
import type { StreamAppend, StreamAppendResult } from '../event-store/event-store.ts'
import { justRecorded } from '../event-store/recorded-event.ts'
import type { NewEvent } from '../event-store/stored-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { NOT_LOADED } from '../aggregate/instance.ts'
import type { UnitOwner } from './unit-owner.ts'
import { unitReservations } from './unit-reservations.ts'
import type { UnitRoot } from './unit-root.ts'

/** What a unit has stored. */
export interface Committed {
  /** In the order of their positions: aggregate by aggregate in the order of loading, each one's in the order in which they happened. */
  readonly events: readonly RecordedEvent[]
  /** Those of them whose handlers are waited for, whatever was asked for; undefined where there are none. */
  readonly synchronous: readonly RecordedEvent[] | undefined
  /** Those that have got events, in the order of loading. */
  readonly roots: readonly CommittedRoot[]
}

export const NOTHING_STORED: Committed = Object.freeze({
  events: Object.freeze([]),
  synchronous: undefined,
  roots: Object.freeze([]),
})

export interface CommittedRoot {
  readonly root: UnitRoot
  /** The version of its stream now. */
  readonly version: number
  readonly events: readonly RecordedEvent[]
}

/** The way of changed aggregates into the store, by one append. */
export class UnitCommit {
  /** Somebody else wrote to one of the streams: nothing is stored, and all may be done again. */
  conflict: VersionConflictError | undefined
  readonly #services: DispatchServices
  readonly #owner: UnitOwner
  readonly #roots: readonly UnitRoot[]

  constructor(services: DispatchServices, owner: UnitOwner, roots: readonly UnitRoot[]) {
    this.#services = services
    this.#owner = owner
    this.#roots = roots
  }

  async run(also: readonly StreamAppend[] = []): Promise<Committed> {
    const encoded = await Promise.all(this.#roots.map((root) => this.#encode(root)))
    const reserved = await unitReservations(this.#services.store, this.#roots)
    const streams = [...this.#roots.map((root, index) => ownAppend(root, encoded[index] ?? [])), ...reserved, ...also]
    this.#owner.fence()
    this.#owner.appending()
    const { store, handling } = this.#services
    const options = streams.length > 1 ? { atomic: true } : undefined
    // Whom the append wakes does not act for the unit.
    const results = await (handling === undefined
      ? store.append(streams, options)
      : handling.run(undefined, () => store.append(streams, options)))
    this.#refuse(streams, results)
    return this.#committed(encoded, results)
  }

  /** What its caller is to be told who tries no more: of a value that is another's by now, that it is, and of no stream of Edict's. */
  async asToldOf(conflict: VersionConflictError): Promise<VersionConflictError | UniqueValueTakenError> {
    if (this.#roots.some(({ streamId }) => streamId === conflict.streamId)) return conflict
    return (await takenMeanwhile(() => unitReservations(this.#services.store, this.#roots))) ?? conflict
  }

  async #encode(root: UnitRoot): Promise<readonly NewEvent[]> {
    const lists: (readonly NewEvent[])[] = []
    for (const { source, events } of root.runs) {
      lists.push(await newEvents(this.#services, source, root.instance, events))
    }
    return lists.flat()
  }

  /** Throws where anything was not stored; then nothing was. */
  #refuse(streams: readonly StreamAppend[], results: readonly StreamAppendResult[]): void {
    for (const [index, { streamId, category, expectedVersion }] of streams.entries()) {
      const result = results[index]
      switch (result?.status) {
        case 'version_conflict':
          this.conflict = new VersionConflictError(streamId, expectedVersion, result.actual)
          throw this.conflict
        case 'stream_closed':
          this.#forget(index)
          throw new StreamClosedError(streamId, result.state)
        case 'category_mismatch':
          throw new CategoryMismatchError(streamId, category, result.actual)
        default:
      }
    }
    if (results.every(({ status }) => status === 'appended')) return
    throw new StoreError(`the ${this.#services.store.name} event store does not say why it abandoned an append`, {
      outcome: 'unknown',
    })
  }

  /** What is closed in the store is not to live on in memory. */
  #forget(index: number): void {
    const instance = this.#roots[index]?.instance
    if (instance === undefined || (!instance.mailbox.idle && instance.mailbox.current !== this.#owner)) return
    instance.state = undefined
    instance.version = NOT_LOADED
  }

  #committed(encoded: readonly (readonly NewEvent[])[], results: readonly StreamAppendResult[]): Committed {
    const { follower } = this.#services
    for (const [index, result] of results.entries()) {
      // Of values that have to be unique, and of what else comes with it, each stream gets one fact.
      if (result.status === 'appended') {
        follower?.appended(result.firstPosition, result.firstPosition + (encoded[index]?.length ?? 1) - 1)
      }
    }
    const roots = this.#roots.map((root, index) => committedRoot(root, encoded[index] ?? [], results[index]))
    const events = roots.flatMap((root) => root.events)
    const made = this.#roots.flatMap(({ runs }) => runs.flatMap((run) => run.events))
    return { roots, events, synchronous: synchronousEvents(made, events, this.#services.eventProcessing) }
  }
}

/**
 * A repeat is looked for where a stream is loaded, so that here a version that does not hold is a conflict in each case: of several
 * streams, some of which the command wrote to before, none must get its events twice.
 */
function ownAppend({ instance, loadedVersion }: UnitRoot, events: readonly NewEvent[]): StreamAppend {
  const { streamId, model } = instance
  return { streamId, category: model.name, expectedVersion: loadedVersion, events, deduplicate: false }
}

function committedRoot(
  root: UnitRoot,
  events: readonly NewEvent[],
  result: StreamAppendResult | undefined,
): CommittedRoot {
  if (result?.status !== 'appended') return { root, version: root.loadedVersion, events: [] }
  const { streamVersion, firstPosition } = result
  const { streamId, model } = root.instance
  const made = root.runs.flatMap((run) => run.events)
  const recorded = events.map((event, index) =>
    justRecorded(event, made[index]?.data, streamId, model.name, root.loadedVersion + 1 + index, firstPosition + index),
  )
  return { root, version: streamVersion, events: recorded }
}
