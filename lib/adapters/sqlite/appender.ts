import type BetterSqlite3 from 'better-sqlite3'
import type { StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import { isExpected } from '../../event-store/expected-version.ts'
import { sameEvents } from '../../event-store/same-events.ts'
import type { NewEvent, StoredEvent } from '../../event-store/stored-event.ts'
import type { StreamState } from '../../event-store/stream-info.ts'
import type { Database } from './driver.ts'
import { KindNumbers } from './kinds.ts'
import { EventReader } from './event-reader.ts'
import { needsUtf16, toUtf16, UTF16 } from './stored-data.ts'
import { metadataColumn } from './stored-metadata.ts'

const ABANDONED: StreamAppendResult = { status: 'abandoned' }

/** So many streams are remembered, so that an append to one of them need not look for it. */
const MOST_STREAMS = 20_000

interface KnownStream {
  readonly id: number
  readonly category: string
  readonly state: StreamState
  version: number
}

type StreamRow = readonly [id: number, category: string, state: StreamState]

/**
 * Appends within the transactions of the writing connection. What it knows of streams holds for as long as nobody else writes to
 * the file: `begin` looks whether somebody did.
 */
export class Appender {
  readonly #kinds: KindNumbers
  readonly #reader: EventReader
  readonly #dataVersion: BetterSqlite3.Statement<[], number>
  readonly #findStream: BetterSqlite3.Statement<[string]>
  readonly #makeStream: BetterSqlite3.Statement<[string, string], number>
  readonly #readVersion: BetterSqlite3.Statement<[number], number | null>
  readonly #insert: BetterSqlite3.Statement
  readonly #streams = new Map<string, KnownStream>()
  #head: number | undefined
  #seenVersion = -1

  constructor(writing: Database) {
    this.#kinds = new KindNumbers(writing)
    this.#reader = new EventReader(writing)
    this.#dataVersion = writing.prepare<[], number>('PRAGMA data_version').pluck()
    this.#findStream = writing
      .prepare<[string]>('SELECT id, category, state FROM edict_streams WHERE stream_id = ?')
      .raw()
    this.#makeStream = writing
      .prepare<[string, string], number>('INSERT INTO edict_streams (stream_id, category) VALUES (?, ?) RETURNING id')
      .pluck()
    this.#readVersion = writing
      .prepare<[number], number | null>('SELECT max(version) FROM edict_events WHERE stream = ?')
      .pluck()
    this.#insert = writing.prepare(
      `INSERT INTO edict_events (position, stream, version, kind, created_at, event_id, command_id, causation_id, correlation_id,
        tenant, metadata, utf16, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
  }

  /** The last position, within the transaction. */
  get head(): number {
    return (this.#head ??= this.#reader.head())
  }

  /** To be called at the start of every transaction. */
  begin(): void {
    const version = this.#dataVersion.get() as number
    if (version === this.#seenVersion) return
    this.#seenVersion = version
    this.#streams.clear()
    this.#head = undefined
  }

  /** To be called when a transaction is rolled back, and when streams were changed otherwise. */
  forget(): void {
    this.#streams.clear()
    this.#head = undefined
    this.#kinds.forget()
    this.#reader.forget()
  }

  append(streams: readonly StreamAppend[], atomic: boolean): readonly StreamAppendResult[] {
    if (atomic) return this.#appendTogether(streams)
    return streams.map((append) => {
      const stream = this.#find(append.streamId)
      return this.#refusal(stream, append) ?? this.#write(stream, append)
    })
  }

  #appendTogether(streams: readonly StreamAppend[]): StreamAppendResult[] {
    const refusals = streams.map((append) => this.#refusal(this.#find(append.streamId), append))
    const failed = refusals.some((refusal) => refusal !== undefined && refusal.status !== 'repeated')
    if (failed) return refusals.map((refusal) => (refusal?.status === 'repeated' ? ABANDONED : (refusal ?? ABANDONED)))
    return streams.map((append, index) => refusals[index] ?? this.#write(this.#find(append.streamId), append))
  }

  #find(streamId: string): KnownStream | undefined {
    return this.#streams.get(streamId) ?? this.#fetch(streamId)
  }

  #fetch(streamId: string): KnownStream | undefined {
    // A raw statement's rows are arrays, which its type does not say.
    const row = this.#findStream.get(streamId) as StreamRow | undefined
    if (row === undefined) return undefined
    const [id, category, state] = row
    return this.#remember(streamId, { id, category, state, version: this.#readVersion.get(id) ?? 0 })
  }

  #remember(streamId: string, stream: KnownStream): KnownStream {
    if (this.#streams.size >= MOST_STREAMS) this.#streams.clear()
    this.#streams.set(streamId, stream)
    return stream
  }

  /** Why an append writes nothing, or undefined where it may. */
  #refusal(stream: KnownStream | undefined, append: StreamAppend): StreamAppendResult | undefined {
    const { expectedVersion } = append
    if (stream === undefined) {
      return isExpected(expectedVersion, 0) ? undefined : { status: 'version_conflict', actual: 0 }
    }
    if (stream.category !== append.category) return { status: 'category_mismatch', actual: stream.category }
    if (append.deduplicate !== false) {
      const repeat = this.#repeat(append)
      if (repeat !== undefined) return repeat
    }
    if (stream.state !== 'active') return { status: 'stream_closed', state: stream.state }
    return isExpected(expectedVersion, stream.version)
      ? undefined
      : { status: 'version_conflict', actual: stream.version }
  }

  #repeat({ streamId, events }: StreamAppend): StreamAppendResult | undefined {
    const committed = this.#reader.readCommand(streamId, (events[0] as StoredEvent).commandId)
    if (committed.length === 0) return undefined
    return sameEvents(committed, events) ? { status: 'repeated', events: committed } : { status: 'duplicate_command' }
  }

  #write(found: KnownStream | undefined, { streamId, category, events }: StreamAppend): StreamAppendResult {
    const stream = found ?? this.#make(streamId, category)
    const firstPosition = this.head + 1
    let position = firstPosition
    for (const event of events) this.#insertEvent(stream, category, position++, ++stream.version, event)
    this.#head = position - 1
    return { status: 'appended', streamVersion: stream.version, firstPosition }
  }

  #make(streamId: string, category: string): KnownStream {
    const id = this.#makeStream.get(streamId, category) as number
    return this.#remember(streamId, { id, category, state: 'active', version: 0 })
  }

  #insertEvent(stream: KnownStream, category: string, position: number, version: number, event: NewEvent): void {
    const { commandId, causationId, correlationId, data } = event
    const utf16 = needsUtf16(data)
    this.#insert.run(
      position,
      stream.id,
      version,
      this.#kinds.numberOf(category, event),
      event.createdAt,
      event.eventId,
      commandId,
      causationId === commandId ? null : causationId,
      correlationId === commandId ? null : correlationId,
      event.tenant ?? null,
      metadataColumn(event.metadata),
      utf16 ? UTF16 : null,
      utf16 ? toUtf16(data) : data,
    )
  }
}
