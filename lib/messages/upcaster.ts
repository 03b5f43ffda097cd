import { DefinitionError } from '../errors.ts'
import type { Metadata } from './recorded-event.ts'

/** An old event on its way to a reader: what an upcaster may change, and what it may know. */
export interface UpcastEvent {
  readonly type: string
  readonly schemaVersion: number
  readonly data: unknown
  readonly metadata: Metadata
}

/** What an upcaster gives for an event; what is left out stays as it was. */
export type Upcast = Partial<UpcastEvent>

/** Turns events of one type, as they were once stored, into what is read today. */
export interface Upcaster {
  readonly type: string
  readonly schemaVersion: number | undefined
  readonly upcast: (event: UpcastEvent) => Upcast | readonly Upcast[]
}

export interface UpcasterDefinition {
  /** Only events that were stored with this schema version; every version where it is left out. */
  readonly schemaVersion?: number
  /** Gives one event, several, or none (an empty list). Pure. Stored data is never touched. */
  readonly upcast: Upcaster['upcast']
}

/**
 * Makes an upcaster: a function from an event as it was stored to the event, the events or none that are read today.
 *
 * @example
 * upcaster('MoneyDeposited', {
 *   schemaVersion: 1,
 *   upcast: ({ data }) => ({ schemaVersion: 2, data: { ...(data as object), currency: 'EUR' } }),
 * })
 *
 * @throws {DefinitionError} `invalid_definition` where the type or the function is missing
 */
export function upcaster(type: string, definition: UpcasterDefinition): Upcaster {
  if (typeof type !== 'string' || type === '') throw new DefinitionError('upcaster(type, …) needs the stored type')
  if (typeof (definition as Partial<UpcasterDefinition> | undefined)?.upcast !== 'function') {
    throw new DefinitionError(`upcaster('${type}', { upcast }) needs a function`)
  }
  return Object.freeze({ type, schemaVersion: definition.schemaVersion, upcast: definition.upcast })
}

/** Passes an event through a chain of upcasters, in their order; each sees what the ones before it gave. */
export function upcastThrough(upcasters: readonly Upcaster[], stored: UpcastEvent): readonly UpcastEvent[] {
  let events: readonly UpcastEvent[] = [stored]
  for (const { type, schemaVersion, upcast } of upcasters) {
    const concerns = (event: UpcastEvent) =>
      event.type === type && (schemaVersion === undefined || event.schemaVersion === schemaVersion)
    if (!events.some(concerns)) continue
    events = events.flatMap((event) => {
      if (!concerns(event)) return [event]
      const given = upcast(event)
      return (Array.isArray(given) ? (given as readonly Upcast[]) : [given as Upcast]).map((one) => ({
        ...event,
        ...one,
      }))
    })
  }
  return events
}
