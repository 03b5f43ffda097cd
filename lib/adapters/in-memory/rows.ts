import { NO_METADATA } from '../../event-store/frozen-metadata.ts'
import { OBJECT_CONTENT_TYPE, type NewEvent, type StoredEvent } from '../../event-store/stored-event.ts'
import { handedOver } from '../../messages/immutable.ts'
import type { Stream } from './stream.ts'

// An object for each event would cost the garbage collector more than all else that an append does, and 60 bytes. So the
// fields of many events lie behind one another in one array, a block; readers get objects that are made as they ask.

const STREAM = 0
const STREAM_VERSION = 1
const EVENT_ID = 2
const TYPE = 3
const SCHEMA_VERSION = 4
const CONTENT_TYPE = 5
const DATA = 6
const METADATA = 7
const COMMAND_ID = 8
const CAUSATION_ID = 9
const CORRELATION_ID = 10
const TENANT = 11
const FIELDS = 12

const BLOCK_BITS = 12
const BLOCK_ROWS = 1 << BLOCK_BITS
const FIRST_ROWS = 64

class Block {
  readonly rows: number
  readonly fields: unknown[]
  /** A field of its own, as a number of this size would be an object among the others. */
  readonly createdAt: Float64Array

  constructor(rows: number) {
    this.rows = rows
    this.fields = new Array<unknown>(rows * FIELDS)
    this.createdAt = new Float64Array(rows)
  }

  /** The same rows with more room: a store of a few events, as a test makes it, stays small. */
  grown(): Block {
    const grown = new Block(this.rows * 4)
    for (let at = 0; at < this.fields.length; at++) grown.fields[at] = this.fields[at]
    grown.createdAt.set(this.createdAt)
    return grown
  }
}

/** All events of a store, in the order of positions. */
export class Rows {
  readonly #blocks: Block[] = []
  #last = new Block(0)
  /** How many rows of the last block are taken. */
  #taken = 0

  /** The last position; 0 where there is none. */
  get length(): number {
    return this.#blocks.length === 0 ? 0 : ((this.#blocks.length - 1) << BLOCK_BITS) + this.#taken
  }

  /** @returns its position */
  add(stream: Stream, streamVersion: number, event: NewEvent): number {
    if (this.#taken === this.#last.rows) this.#makeRoom()
    const row = this.#taken++
    const at = row * FIELDS
    const { fields, createdAt } = this.#last
    fields[at + STREAM] = stream
    fields[at + STREAM_VERSION] = streamVersion
    fields[at + EVENT_ID] = event.eventId
    fields[at + TYPE] = event.type
    fields[at + SCHEMA_VERSION] = event.schemaVersion
    fields[at + CONTENT_TYPE] = event.contentType
    fields[at + DATA] = detached(event.data, event.contentType)
    fields[at + METADATA] = event.metadata
    fields[at + COMMAND_ID] = event.commandId
    // Mostly the command's own id: what is not written costs the garbage collector nothing.
    if (event.causationId !== event.commandId) fields[at + CAUSATION_ID] = event.causationId
    if (event.correlationId !== event.commandId) fields[at + CORRELATION_ID] = event.correlationId
    if (event.tenant !== undefined) fields[at + TENANT] = event.tenant
    createdAt[row] = event.createdAt
    return ((this.#blocks.length - 1) << BLOCK_BITS) + this.#taken
  }

  #makeRoom(): void {
    const blocks = this.#blocks
    if (blocks.length === 0) blocks.push(new Block(FIRST_ROWS))
    else if (this.#last.rows < BLOCK_ROWS) blocks[0] = this.#last.grown()
    else {
      blocks.push(new Block(BLOCK_ROWS))
      this.#taken = 0
    }
    this.#last = blocks[blocks.length - 1] as Block
  }

  #field(position: number, field: number): unknown {
    const index = position - 1
    const block = this.#blocks[index >>> BLOCK_BITS] as Block
    return block.fields[(index & (BLOCK_ROWS - 1)) * FIELDS + field]
  }

  typeAt(position: number): string {
    return this.#field(position, TYPE) as string
  }

  categoryAt(position: number): string {
    return (this.#field(position, STREAM) as Stream).category
  }

  commandIdAt(position: number): string {
    return this.#field(position, COMMAND_ID) as string
  }

  correlationIdAt(position: number): string {
    return (this.#field(position, CORRELATION_ID) ?? this.commandIdAt(position)) as string
  }

  tenantAt(position: number): string | undefined {
    return this.#field(position, TENANT) as string | undefined
  }

  /** Takes from an event what it says; its place, its ids and its type stay. */
  erase(position: number): void {
    const index = position - 1
    const { fields } = this.#blocks[index >>> BLOCK_BITS] as Block
    const at = (index & (BLOCK_ROWS - 1)) * FIELDS
    fields[at + DATA] = undefined
    fields[at + METADATA] = NO_METADATA
  }

  /** The event at a position, as readers see it. */
  at(position: number): StoredEvent {
    const index = position - 1
    const { fields, createdAt } = this.#blocks[index >>> BLOCK_BITS] as Block
    const row = index & (BLOCK_ROWS - 1)
    const at = row * FIELDS
    const stream = fields[at + STREAM] as Stream
    const contentType = fields[at + CONTENT_TYPE] as string
    const commandId = fields[at + COMMAND_ID] as string
    const data = fields[at + DATA]
    const tenant = fields[at + TENANT] as string | undefined
    const event = {
      eventId: fields[at + EVENT_ID] as string,
      type: fields[at + TYPE] as string,
      schemaVersion: fields[at + SCHEMA_VERSION] as number,
      contentType,
      data: contentType === OBJECT_CONTENT_TYPE ? handedOver(data) : detached(data, contentType),
      metadata: fields[at + METADATA] as NewEvent['metadata'],
      commandId,
      causationId: (fields[at + CAUSATION_ID] ?? commandId) as string,
      correlationId: (fields[at + CORRELATION_ID] ?? commandId) as string,
      createdAt: createdAt[row] as number,
      streamId: stream.streamId,
      category: stream.category,
      streamVersion: fields[at + STREAM_VERSION] as number,
      position,
    }
    // All events of a deleted stream are tombstones: it took none since.
    const tombstone = stream.closed === 'deleted'
    if (tenant === undefined && !tombstone) return event
    return { ...event, ...(tenant !== undefined && { tenant }), ...(tombstone && { tombstone }) }
  }
}

/** Values are frozen where messages are made; bytes cannot be, and are copied on their way in and out. */
export function detached(data: unknown, contentType: string): unknown {
  return contentType !== OBJECT_CONTENT_TYPE && data instanceof Uint8Array ? data.slice() : data
}
