import type { Checkpoint, CheckpointState } from '../../lib/event-store/checkpoint.ts'
import type { StreamAppend, StreamAppendResult } from '../../lib/event-store/event-store.ts'
import type { NewEvent, StoredEvent } from '../../lib/event-store/stored-event.ts'
import type { StreamChangeResult, StreamInfo } from '../../lib/event-store/stream-info.ts'

type Mark = Pick<StreamInfo, 'state' | 'metadata'>

const UNMARKED: Mark = { state: 'active', metadata: {} }

/** An event store as plainly as can be: one list, and a scan for every question. */
export class PlainEventStore {
  events: StoredEvent[] = []
  readonly #marks = new Map<string, Mark>()
  readonly #checkpoints = new Map<string, CheckpointState>()

  stream(streamId: string): StoredEvent[] {
    return this.events.filter((event) => event.streamId === streamId)
  }

  command(streamId: string, commandId: string): StoredEvent[] {
    return this.stream(streamId).filter((event) => event.commandId === commandId)
  }

  info(streamId: string): StreamInfo | undefined {
    const stream = this.stream(streamId)
    const category = stream[0]?.category
    if (category === undefined) return undefined
    return { streamId, category, streamVersion: stream.length, ...(this.#marks.get(streamId) ?? UNMARKED) }
  }

  change(streamId: string, to: Partial<Mark>, expectedVersion: number | undefined): StreamChangeResult {
    const info = this.info(streamId)
    if (info === undefined) return { status: 'unknown_stream' }
    if (info.state === 'deleted' && to.state !== 'deleted') return { status: 'stream_closed', state: 'deleted' }
    if (expectedVersion !== undefined && expectedVersion !== info.streamVersion) {
      return { status: 'version_conflict', actual: info.streamVersion }
    }
    const { state, metadata } = { ...info, ...to }
    this.#marks.set(streamId, { state, metadata: state === 'deleted' ? {} : metadata })
    if (state === 'deleted') this.#erase(streamId)
    return { status: 'changed', stream: { ...info, ...this.#marks.get(streamId) } }
  }

  #erase(streamId: string): void {
    this.events = this.events.map((event) =>
      event.streamId === streamId ? { ...event, data: undefined, metadata: {}, tombstone: true } : event,
    )
  }

  #refusal({ streamId, category, expectedVersion, events }: StreamAppend): StreamAppendResult | undefined {
    const info = this.info(streamId)
    const version = info?.streamVersion ?? 0
    if (info !== undefined && info.category !== category) return { status: 'category_mismatch', actual: info.category }
    const before = this.command(streamId, events[0]!.commandId)
    if (before.length > 0) {
      const erased = before[0]!.tombstone === true
      const payload = (list: readonly NewEvent[]) =>
        JSON.stringify(list.map(({ type, data }) => (erased ? [type] : [type, data])))
      return payload(before) === payload(events)
        ? { status: 'repeated', events: before }
        : { status: 'duplicate_command' }
    }
    if (info !== undefined && info.state !== 'active') return { status: 'stream_closed', state: info.state }
    const holds =
      expectedVersion === 'any' ||
      (expectedVersion === 'exists' ? version > 0 : version === (expectedVersion === 'none' ? 0 : expectedVersion))
    return holds ? undefined : { status: 'version_conflict', actual: version }
  }

  #write({ streamId, category, events }: StreamAppend): StreamAppendResult {
    const firstPosition = this.events.length + 1
    for (const event of events) {
      const streamVersion = this.stream(streamId).length + 1
      this.events.push({ ...event, streamId, category, streamVersion, position: this.events.length + 1 })
    }
    return { status: 'appended', streamVersion: this.stream(streamId).length, firstPosition }
  }

  append(streams: readonly StreamAppend[], atomic: boolean): StreamAppendResult[] {
    if (!atomic) return streams.map((stream) => this.#refusal(stream) ?? this.#write(stream))
    const refusals = streams.map((stream) => this.#refusal(stream))
    if (refusals.every((refusal) => refusal === undefined || refusal.status === 'repeated')) {
      return streams.map((stream, index) => refusals[index] ?? this.#write(stream))
    }
    return refusals.map((refusal) =>
      refusal === undefined || refusal.status === 'repeated' ? { status: 'abandoned' } : refusal,
    )
  }

  checkpoint(name: string): CheckpointState | undefined {
    return this.#checkpoints.get(name)
  }

  /** The place that a claim gives, or undefined where another owner holds the checkpoint. Its epoch is the store's to choose. */
  claim(name: string, owner: string, startAfter: number): Pick<Checkpoint, 'name' | 'position' | 'index'> | undefined {
    const before = this.#checkpoints.get(name)
    if (before?.owner !== undefined && before.owner !== owner) return undefined
    return { name, position: before?.position ?? startAfter, index: before?.index ?? 0 }
  }

  claimed(claim: Checkpoint, owner: string): void {
    this.#checkpoints.set(claim.name, { ...claim, owner })
  }

  holds({ name, epoch }: Pick<Checkpoint, 'name' | 'epoch'>): boolean {
    const now = this.#checkpoints.get(name)
    return now?.owner !== undefined && now.epoch === epoch
  }

  save(checkpoint: Checkpoint): boolean {
    if (!this.holds(checkpoint)) return false
    this.#checkpoints.set(checkpoint.name, { ...this.#checkpoints.get(checkpoint.name)!, ...checkpoint })
    return true
  }

  release(name: string, epoch: number): void {
    if (this.holds({ name, epoch })) this.#checkpoints.set(name, { ...this.#checkpoints.get(name)!, owner: undefined })
  }

  deleteCheckpoint(name: string): void {
    this.#checkpoints.delete(name)
  }

  listCheckpoints(): CheckpointState[] {
    return [...this.#checkpoints.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
  }
}
