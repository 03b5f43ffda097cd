import type { Instance } from '../aggregate/instance.ts'
import { Executed } from '../dispatch/executed.ts'
import type { EventSource } from '../dispatch/new-events.ts'
import { repeatedResult } from '../dispatch/repeated-result.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { StoreError, StreamClosedError, describeThrown } from '../errors.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { isOwnFact } from '../event-store/own-facts.ts'
import { readAllEvents } from '../event-store/read.ts'
import { FINGERPRINT_KEY } from '../event-store/recorded-event.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import { fingerprint } from '../messages/fingerprint.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'

const PAGE_EVENTS = 100

/** What a command left in one of the streams that it wrote to. */
export interface FoundEvents {
  readonly instance: Instance
  readonly events: readonly StoredEvent[]
}

/**
 * The result of a command that committed before, whose aggregate is `identity`: its events of all streams. Where it did not write to its
 * own aggregate's stream, version and state are those of today.
 */
export async function repeatedUnit(
  services: DispatchServices,
  command: SealedMessage,
  identity: Instance,
  found: FoundEvents,
): Promise<ExecutionResult> {
  const { store, codec } = services
  const first = await repeatedResult(services, found.instance, command, found.events)
  const all = await allOf(store, found.events)
  if (all.length === found.events.length && found.instance === identity) return first
  const own = all.filter(({ streamId }) => streamId === identity.streamId)
  const { aggregateVersion, aggregateState }: Pick<ExecutionResult, 'aggregateVersion' | 'aggregateState'> =
    own.length > 0
      ? await repeatedResult(services, identity, command, own)
      : { aggregateVersion: identity.version, aggregateState: identity.state as ExecutionResult['aggregateState'] }
  const events: RecordedEvent[] = []
  for (const stored of all) events.push(...(await codec.decode(stored)))
  return new Executed(identity, aggregateVersion, Object.freeze(events), first.metadata, aggregateState, undefined)
}

/**
 * The result of a command that committed before in other streams than that of its aggregate, which is `identity`: it has its correlation
 * again. Undefined where it did not commit. Version and state are those of today.
 *
 * @throws {StreamClosedError} `stream_closed` where its events are deleted; StoreError `store_failed` where that cannot be read
 */
export async function repeatedElsewhere(
  { store, codec }: DispatchServices,
  {
    command,
    commandId,
    correlationId,
    tenant,
  }: Pick<EventSource, 'commandId' | 'correlationId' | 'tenant'> & {
    readonly command: SealedMessage
  },
  identity: Instance,
): Promise<ExecutionResult | undefined> {
  const known = fingerprint(command)
  const found: StoredEvent[] = []
  let deleted: StoredEvent | undefined
  try {
    for await (const event of readAllEvents(store, { correlationId })) {
      if (event.commandId !== commandId || event.tenant !== tenant) continue
      if (event.tombstone === true) deleted ??= event
      else if (event.metadata[FINGERPRINT_KEY] === known) found.push(event)
    }
  } catch (cause) {
    const what = `whether ${command.type} was executed before cannot be read`
    throw new StoreError(`${what}: ${describeThrown(cause)}`, { cause, outcome: 'unknown' })
  }
  if (found.length === 0) {
    if (deleted === undefined) return undefined
    // It took effect, whatever became of its events since.
    throw new StreamClosedError(deleted.streamId, 'deleted', { outcome: 'executed' })
  }
  const events: RecordedEvent[] = []
  for (const stored of found) events.push(...(await codec.decode(stored)))
  const { version, state } = identity
  return new Executed(identity, version, Object.freeze(events), events[0]?.metadata ?? {}, state, undefined)
}

/**
 * The events of one command, in whatever streams, were stored by one append: between them lie those of other commands, where it was part
 * of a batch, or workflows followed it.
 */
async function allOf(store: EventStore, known: readonly StoredEvent[]): Promise<readonly StoredEvent[]> {
  const [first] = known
  const last = known.at(-1)
  if (first === undefined || last === undefined) return known
  const seen = new Set([first.streamId])
  const before = await ofSameAppend(store, first, 'backward', seen)
  const after = await ofSameAppend(store, last, 'forward', seen)
  return [...before.reverse(), ...known, ...after]
}

/** Goes on as long as what it finds may be of the same append: of one correlation, each stream once, and no fact of Edict's own. */
async function ofSameAppend(
  store: EventStore,
  { position, commandId, correlationId, streamId, metadata }: StoredEvent,
  direction: 'forward' | 'backward',
  seen: Set<string>,
): Promise<StoredEvent[]> {
  const found: StoredEvent[] = []
  let [at, stream] = [position, streamId]
  for (;;) {
    at += direction === 'forward' ? 1 : -1
    if (at < 1) return found
    const { events } = await store.readAll({ fromPosition: at, maxCount: PAGE_EVENTS, direction })
    for (const event of events) {
      if (event.correlationId !== correlationId || isOwnFact(event)) return found
      if (event.streamId !== stream && seen.has(event.streamId)) return found
      stream = event.streamId
      seen.add(stream)
      // Of a tombstone, nobody knows any more what command it was of.
      const isSame = event.tombstone === true || event.metadata[FINGERPRINT_KEY] === metadata[FINGERPRINT_KEY]
      if (event.commandId === commandId && isSame) found.push(event)
      at = event.position
    }
    if (events.length === 0) return found
  }
}
