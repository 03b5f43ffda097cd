import type { EventIdSeed } from '../messages/event-id.ts'
import { allOrNone, isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { asEdictError, type EdictError } from '../errors.ts'
import { DEADLINE_KEY, DEPTH_KEY, FINGERPRINT_KEY } from '../event-store/recorded-event.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { NewEvent } from '../event-store/stored-event.ts'
import { fingerprint } from '../messages/fingerprint.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import { SealedMessage, type SealedDefinition } from '../messages/sealed-message.ts'
import type { ResolvedOptions } from './options.ts'

/** What events take over from the command that they come from. */
export interface EventSource {
  /** Undefined where they come from no command, and then nobody gave its id. */
  readonly command: SealedMessage | undefined
  readonly commandId: string
  readonly causationId: string
  readonly correlationId: string
  readonly metadata: Metadata
  readonly tenant: string | undefined
  readonly now: number
  readonly options: Pick<ResolvedOptions, 'commandId' | 'deadline' | 'depth'>
}

/** Whose events they are. */
export interface EventOwner {
  readonly streamId: string
  readonly model: { readonly name: string }
  readonly eventIds: EventIdSeed
}

/** The envelope of what is to be stored. */
class Envelope implements NewEvent {
  readonly eventId: string
  readonly type: string
  readonly schemaVersion: number
  readonly contentType: string
  readonly data: unknown
  readonly metadata: Metadata
  readonly commandId: string
  readonly causationId: string
  readonly correlationId: string
  readonly tenant: string | undefined
  readonly createdAt: number

  constructor(
    source: EventSource,
    metadata: Metadata,
    eventId: string,
    event: SealedMessage,
    data: unknown,
    contentType: string,
  ) {
    this.eventId = eventId
    this.type = event.type
    this.schemaVersion = (SealedMessage.definitionOf(event) as SealedDefinition).schemaVersion
    this.contentType = contentType
    this.data = data
    this.metadata = metadata
    this.commandId = source.commandId
    this.causationId = source.causationId
    this.correlationId = source.correlationId
    this.tenant = source.tenant
    this.createdAt = source.now
  }
}

/** The events of a decision as they are to be stored, encoded. A promise only where the serializer gives one. */
export function newEvents(
  { codec }: { readonly codec: EventCodec },
  source: EventSource,
  instance: EventOwner,
  events: readonly SealedMessage[],
): MaybePromise<readonly NewEvent[]> {
  const metadata = storedMetadata(source)
  const { contentType } = codec
  if (codec.passesThrough) {
    // Most commands lead to one event; for that one, neither a closure nor an array that grows.
    if (events.length === 1)
      return [plainEnvelope(source, metadata, instance, events[0] as SealedMessage, 0, contentType)]
    return events.map((event, index) => plainEnvelope(source, metadata, instance, event, index, contentType))
  }
  return encodedEvents(codec, source, instance, events, metadata)
}

function encodedEvents(
  codec: EventCodec,
  source: EventSource,
  instance: EventOwner,
  events: readonly SealedMessage[],
  metadata: Metadata,
): MaybePromise<readonly NewEvent[]> {
  const { contentType } = codec
  const envelope = (event: SealedMessage, index: number, encoded: unknown): NewEvent =>
    new Envelope(source, metadata, instance.eventIds.eventId(source.commandId, index), event, encoded, contentType)
  return guarded(() => {
    const encoded = allOrNone(events, (event) =>
      codec.encode(event.data, {
        type: event.type,
        schemaVersion: (SealedMessage.definitionOf(event) as SealedDefinition).schemaVersion,
        streamId: instance.streamId,
        category: instance.model.name,
        metadata: source.metadata,
        tenant: source.tenant,
      }),
    )
    if (!encoded.some(isPromiseLike)) return events.map((event, index) => envelope(event, index, encoded[index]))
    return Promise.all(encoded).then((all) => events.map((event, index) => envelope(event, index, all[index])))
  })
}

export function plainEnvelope(
  source: EventSource,
  metadata: Metadata,
  instance: EventOwner,
  event: SealedMessage,
  index: number,
  contentType: string,
): NewEvent {
  const eventId = instance.eventIds.eventId(source.commandId, index)
  return new Envelope(source, metadata, eventId, event, event.data, contentType)
}

/** A serializer is user code. */
function guarded<Value>(encode: () => MaybePromise<Value>): MaybePromise<Value> {
  const failed = (cause: unknown): EdictError => asEdictError(cause, 'the serializer')
  try {
    const encoded = encode()
    if (!isPromiseLike(encoded)) return encoded
    return Promise.resolve(encoded).catch((cause: unknown) => {
      throw failed(cause)
    })
  } catch (cause) {
    throw failed(cause)
  }
}

/**
 * A command whose id the caller gave may come again: what it was is kept, to tell a repeat from another command. What handlers'
 * commands inherit is kept too, for another node and for after a restart.
 */
export function storedMetadata(source: EventSource): Metadata {
  const { command } = source
  const { commandId, deadline, depth } = source.options
  if (commandId === undefined && deadline === undefined && depth === 0) return source.metadata
  return Object.freeze({
    ...source.metadata,
    ...(commandId !== undefined && command !== undefined && { [FINGERPRINT_KEY]: fingerprint(command) }),
    ...(deadline !== undefined && { [DEADLINE_KEY]: deadline }),
    ...(depth > 0 && { [DEPTH_KEY]: depth }),
  })
}
