import { factOf, ownFact, type FactOrigin } from '../event-store/own-facts.ts'
import { FACT_CONTENT_TYPE, type NewEvent, type StoredEvent } from '../event-store/stored-event.ts'
import { EventIdSeed } from '../messages/event-id.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { describeThrown } from '../errors.ts'

// What is stored of parked events: facts in a stream of the handler. Types, category, stream id and fields are stored contracts.

export const PARKED_CATEGORY = 'edict.parked'

/** The stream that keeps what a handler parked. */
export function parkedStreamId(handlerName: string): string {
  return `edict.parked-${handlerName}`
}

/** Which event: where it is stored, and which one of those that upcasting made of it. */
export interface EventRef {
  readonly position: number
  readonly index: number
}

/** An error as it is kept: what helps to find its cause, and nothing that could not be stored. */
export interface KeptError {
  readonly name: string
  readonly message: string
  readonly code?: string
  /** Its first lines. */
  readonly stack?: string
}

/** An event was set aside: with what the handler failed with, or, without, behind another one of its key. */
export interface EventParked extends EventRef {
  readonly fact: 'edict.EventParked'
  readonly key: string
  readonly type: string
  readonly streamId: string
  readonly streamVersion: number
  readonly attempts: number
  readonly error?: KeptError
}

/** A parked event is out: handled at last, or given up. */
export interface EventReleased extends EventRef {
  readonly fact: 'edict.EventReplayed' | 'edict.EventDiscarded'
  readonly key: string
}

/** It was tried again, and failed again: it stays, and so does what is behind it. */
export interface ReplayFailed extends EventRef {
  readonly fact: 'edict.ReplayFailed'
  readonly key: string
  readonly attempts: number
  readonly error: KeptError
}

/** Somebody asked for what is parked to be handled again: one event, those of a key, or all. */
export interface ReplayRequested {
  readonly fact: 'edict.ReplayRequested'
  readonly key?: string
  /** With the key: only that one, which is the first of its key. */
  readonly position?: number
  readonly index?: number
}

/** The handler begins anew after a position: what it parked beyond that comes again, and is not parked any more. */
export interface HandlerReset {
  readonly fact: 'edict.HandlerReset'
  readonly after: number
}

export type ParkedFact = EventParked | EventReleased | ReplayFailed | ReplayRequested | HandlerReset

/** What somebody else than the owner may say, so that the owner has to listen to it. */
export const FACTS_FOR_THE_OWNER: ReadonlySet<string> = new Set([
  'edict.ReplayRequested',
  'edict.EventDiscarded',
  'edict.HandlerReset',
])

/** Undefined for what was erased, and for facts that a later version may write. */
export function parkedFact(stored: StoredEvent): ParkedFact | undefined {
  if (stored.tombstone === true || stored.contentType !== FACT_CONTENT_TYPE) return undefined
  // This file alone writes them.
  return { ...factOf(stored), fact: stored.type } as ParkedFact
}

/** The command id tells this append from others to the same version of the stream: a repeat of it makes the same ids. */
export function newFacts(streamId: string, origin: FactOrigin, facts: readonly ParkedFact[]): readonly NewEvent[] {
  const seed = new EventIdSeed(streamId)
  return facts.map(({ fact, ...data }, index) => ownFact(fact, seed.eventId(origin.commandId, index), data, origin))
}

/** The fact that an event is parked. */
export function eventParked(
  key: string,
  recorded: Pick<RecordedEvent, 'position' | 'index' | 'type' | 'streamId' | 'streamVersion'>,
  failure: { readonly error: unknown; readonly attempts: number } | undefined,
): EventParked {
  const { position, index, type, streamId, streamVersion } = recorded
  return {
    fact: 'edict.EventParked',
    key,
    position,
    index,
    type,
    streamId,
    streamVersion,
    attempts: failure?.attempts ?? 0,
    ...(failure && { error: keptError(failure.error) }),
  }
}

const LONGEST_MESSAGE = 2_000
const LONGEST_STACK = 2_000

export function keptError(error: unknown): KeptError {
  const { kind, name, code, stack } = fieldsOf(error)
  return {
    name: text(name, 100) ?? kind,
    message: describeThrown(error).slice(0, LONGEST_MESSAGE),
    ...optional('code', text(code, 100)),
    ...optional('stack', text(stack, LONGEST_STACK)),
  }
}

interface ThrownFields {
  readonly kind: string
  readonly name?: unknown
  readonly code?: unknown
  readonly stack?: unknown
}

/** What is thrown can be anything: getters that throw included, and a proxy that throws when it is asked for its prototype. */
function fieldsOf(error: unknown): ThrownFields {
  let kind: string = typeof error
  try {
    if (!(error instanceof Error)) return { kind }
    kind = 'Error'
    const { name, stack, code } = error as Error & { readonly code?: unknown }
    return { kind, name, stack, code }
  } catch {
    return { kind }
  }
}

function text(value: unknown, longest: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, longest) : undefined
}

function optional<Key extends string>(key: Key, value: string | undefined): Partial<Record<Key, string>> {
  // A computed key widens to an index signature.
  return value === undefined ? {} : ({ [key]: value } as Record<Key, string>)
}
