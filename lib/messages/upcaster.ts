import { isPromiseLike } from '../effects/maybe-promise.ts'
import { DefinitionError } from '../errors.ts'
import { refuseUnknownOption } from './definition-options.ts'
import { sealedDefinitionOf } from './definition.ts'
import type { DataOf, EventDefinition } from './message.ts'
import type { Metadata } from './recorded-event.ts'
import { SealedMessage } from './sealed-message.ts'
import { isWhole } from './whole-number.ts'

/** An old event on its way to a reader: what an upcaster may change, and what it may know. */
export interface UpcastEvent<Data = unknown> {
  readonly type: string
  readonly schemaVersion: number
  readonly data: Data
  readonly metadata: Metadata
}

/** What an upcaster gives for an event; what is left out stays as it was. An event that a definition made says all but the metadata. */
export type Upcast = Partial<UpcastEvent>

/** Turns events of one type, as they were once stored, into what is read today. */
export interface Upcaster {
  readonly type: string
  readonly schemaVersion: number | undefined
  readonly upcast: (event: UpcastEvent) => Upcast | readonly Upcast[]
  /** The types that it may give beside its own. */
  readonly into: readonly string[]
  /** Whether all that it does is to give another name. */
  readonly renames?: boolean
}

/** Which stored events an upcaster changes, and how. */
export interface UpcasterDefinition<Data = unknown> {
  /**
   * Only events that were stored with this schema version. Default: that of the definition; every version, where a type alone is
   * given.
   */
  readonly schemaVersion?: number
  /**
   * The events, or their types, that it may give beside its own. Who handles one of them reads the old events too; who does not is
   * not concerned. @default none
   */
  readonly into?: readonly (string | EventDefinition)[]
  /** Gives one event, several, or none (an empty list). Pure. Stored data is never touched. */
  readonly upcast: (event: UpcastEvent<Data>) => Upcast | readonly Upcast[]
}

const OPTIONS: readonly string[] = ['schemaVersion', 'into', 'upcast']
const PARTS = ['type', 'schemaVersion', 'data', 'metadata']

/**
 * Makes an upcaster: a function from an event as it was stored to the event, the events or none that are read today.
 *
 * @example
 * const OldDeposited = event('MoneyDeposited', shape<{ accountNumber: string; amount: number }>())
 * upcaster(OldDeposited, {
 *   upcast: ({ data }) => ({ schemaVersion: 2, data: { ...data, currency: 'EUR' } }),
 * })
 *
 * @param old the old definition, which types the data; or the stored type
 * @throws {DefinitionError} `invalid_definition` where the type or the function is missing, or an option does not exist
 */
export function upcaster<const Old extends string | EventDefinition>(
  old: Old,
  definition: UpcasterDefinition<Old extends EventDefinition ? Readonly<DataOf<Old>> : unknown>,
): Upcaster {
  const sealed = sealedDefinitionOf(old)
  const type: unknown = sealed === undefined ? old : sealed.type
  if (typeof type !== 'string' || type === '' || sealed?.kind === 'command') {
    throw new DefinitionError('upcaster(old, …) needs the stored type, or the old event(…)')
  }
  const given = (definition as Partial<UpcasterDefinition> | undefined) ?? {}
  refuseUnknownOption(`upcaster('${type}')`, given, OPTIONS)
  const { upcast, schemaVersion = sealed?.schemaVersion } = given
  if (typeof upcast !== 'function') throw new DefinitionError(`upcaster('${type}', { upcast }) needs a function`)
  if (schemaVersion !== undefined && !isWhole(schemaVersion, 1)) {
    throw new DefinitionError(`upcaster('${type}'): schemaVersion must be a whole number from 1`)
  }
  return Object.freeze({ type, schemaVersion, upcast, into: typesOf(type, definition.into ?? []) })
}

/**
 * The upcaster of an event that has another name today: what is stored under the old one is read under the new one.
 *
 * @example
 * application({ …, upcasters: [renamedEvent('FundsDeposited', MoneyDeposited)] })
 *
 * @param old the stored type, which no event has any more
 * @param today the event as it is defined now
 * @throws {DefinitionError} `invalid_definition` where one of the two is none, or both are the same
 */
export function renamedEvent(old: string, today: EventDefinition): Upcaster {
  const sealed = sealedDefinitionOf(today)
  if (typeof old !== 'string' || old === '') throw new DefinitionError('renamedEvent(old, …) needs the stored type')
  if (sealed?.kind !== 'event') {
    throw new DefinitionError(`renamedEvent('${old}', today) needs the event(…) that it is today`)
  }
  const { type } = sealed
  if (type === old) throw new DefinitionError(`renamedEvent('${old}', …) was given the same name twice`)
  return Object.freeze({
    type: old,
    schemaVersion: undefined,
    upcast: () => ({ type }),
    into: Object.freeze([type]),
    renames: true,
  })
}

function typesOf(type: string, into: readonly unknown[]): readonly string[] {
  const types = Array.isArray(into)
    ? into.map((one: unknown) => (typeof one === 'string' ? one : sealedDefinitionOf(one)?.type))
    : [undefined]
  if (types.every((one) => one !== undefined && one !== '')) return Object.freeze(types as readonly string[])
  throw new DefinitionError(`upcaster('${type}'): into must be a list of event(…) or of types`)
}

/** The types under which events may be stored that are read as one of these. */
export function storedTypes(types: ReadonlySet<string>, upcasters: readonly Upcaster[]): ReadonlySet<string> {
  const stored = new Set(types)
  // The last one first: what it gives may be what the ones before it gave.
  for (const { type, into } of [...upcasters].reverse()) if (into.some((one) => stored.has(one))) stored.add(type)
  return stored.size === types.size ? types : stored
}

/**
 * Passes an event through a chain of upcasters, in their order; each sees what the ones before it gave.
 *
 * @throws {TypeError} where one gives what is no event
 */
export function upcastThrough(upcasters: readonly Upcaster[], stored: UpcastEvent): readonly UpcastEvent[] {
  let events: readonly UpcastEvent[] = [stored]
  for (const upcaster of upcasters) {
    const { type, schemaVersion, upcast } = upcaster
    const concerns = (event: UpcastEvent) =>
      event.type === type && (schemaVersion === undefined || event.schemaVersion === schemaVersion)
    if (!events.some(concerns)) continue
    events = events.flatMap((event) => {
      if (!concerns(event)) return [event]
      const given: unknown = upcast(event)
      return Array.isArray(given)
        ? given.map((one: unknown) => upcastEvent(upcaster, event, one))
        : [upcastEvent(upcaster, event, given)]
    })
  }
  return events
}

/** Nothing but what an upcaster may change is taken from what it gives. */
function upcastEvent(upcaster: Upcaster, event: UpcastEvent, given: unknown): UpcastEvent {
  if (given === event) return event
  if (given === null || typeof given !== 'object' || isPromiseLike(given)) {
    const kind = given === null ? 'null' : isPromiseLike(given) ? 'a promise' : `a value of type ${typeof given}`
    throw new TypeError(`the upcaster of ${event.type} gave ${kind}: it gives an event, or a list of events`)
  }
  const made = SealedMessage.definitionOf(given)
  if (made === undefined) refuseBareData(event.type, given)
  const { type = event.type, metadata = event.metadata } = given as Upcast
  const schemaVersion = made?.schemaVersion ?? (given as Upcast).schemaVersion ?? event.schemaVersion
  if (typeof type !== 'string' || type === '' || !isWhole(schemaVersion, 1)) {
    throw new TypeError(`the upcaster of ${event.type} gave an event whose type or schemaVersion is none`)
  }
  // Whoever handles that type would not be shown the old events.
  if (type !== event.type && !upcaster.into.includes(type)) {
    throw new TypeError(`the upcaster of ${event.type} gave a ${type}, which it does not name: into: ['${type}']`)
  }
  return { type, schemaVersion, data: 'data' in given ? given.data : event.data, metadata }
}

/** Bare data, in which nothing says what is to change, would leave the event as it was, in silence. */
function refuseBareData(type: string, given: object): void {
  const keys = Object.keys(given)
  if (keys.length === 0 || PARTS.some((part) => part in given)) return
  throw new TypeError(
    `the upcaster of ${type} gave an object with ${keys.join(', ')}, and none of ${PARTS.join(', ')}: what is data goes into { data }`,
  )
}
