import type { Instance } from '../aggregate/instance.ts'
import { Executed } from '../dispatch/executed.ts'
import { repeatedResult } from '../dispatch/repeated-result.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
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

/** The events of one command lie next to each other, in whatever streams, since they were stored by one append. */
async function allOf(store: EventStore, known: readonly StoredEvent[]): Promise<readonly StoredEvent[]> {
  const [first] = known
  const last = known.at(-1)
  if (first === undefined || last === undefined) return known
  const before = await following(store, first, 'backward')
  const after = await following(store, last, 'forward')
  return [...before.reverse(), ...known, ...after]
}

async function following(
  store: EventStore,
  { position, commandId }: StoredEvent,
  direction: 'forward' | 'backward',
): Promise<StoredEvent[]> {
  const found: StoredEvent[] = []
  let at = position
  for (;;) {
    at += direction === 'forward' ? 1 : -1
    if (at < 1) return found
    const { events } = await store.readAll({ fromPosition: at, maxCount: PAGE_EVENTS, direction })
    for (const event of events) {
      if (event.commandId !== commandId) return found
      found.push(event)
      at = event.position
    }
    if (events.length === 0) return found
  }
}
