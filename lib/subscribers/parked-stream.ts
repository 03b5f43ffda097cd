import { afterwards, type MaybePromise } from '../effects/maybe-promise.ts'
import { StoreError } from '../errors.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { FactOrigin } from '../event-store/own-facts.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import type { DiscardedEvents } from './discarded-events.ts'
import {
  PARKED_CATEGORY,
  newFacts,
  parkedFact,
  parkedStreamId,
  type EventRef,
  type ParkedFact,
} from './parked-facts.ts'
import { ParkedKeys } from './parked-keys.ts'

const PAGE = 1_000

/** What is to be appended: facts, and what they are about. */
export interface FactsToAppend {
  readonly facts: readonly ParkedFact[]
  readonly about: (EventRef & { readonly eventId?: string; readonly correlationId?: string }) | undefined
}

/**
 * The stream of a handler's parked events, folded as far as it was read, for whoever looks at it. An append goes in only behind all
 * that was folded, so that it is decided by what is true.
 */
export class ParkedStream {
  readonly streamId: string
  readonly #store: Pick<EventStore, 'append' | 'readStream' | 'name'>
  readonly #now: () => number
  /** Told of what is discarded, and of resets. */
  readonly #discarded: DiscardedEvents | undefined
  #keys = new ParkedKeys()
  #version = 0
  /** That of the last fact. */
  #position = 0
  /** One after another, since each goes on from what the one before has folded. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    handlerName: string,
    store: Pick<EventStore, 'append' | 'readStream' | 'name'>,
    now: () => number,
    discarded?: DiscardedEvents,
  ) {
    this.streamId = parkedStreamId(handlerName)
    this.#store = store
    this.#now = now
    this.#discarded = discarded
  }

  get keys(): ParkedKeys {
    return this.#keys
  }

  /** Where it was read up to, among all events. */
  get position(): number {
    return this.#position
  }

  get version(): number {
    return this.#version
  }

  /** As `catchUp`, at once where the store answers at once that there is nothing: most handlers park nothing. */
  open(): MaybePromise<void> {
    const fromVersion = this.#version + 1
    const slice = this.#store.readStream(this.streamId, { fromVersion, maxCount: 1 })
    return afterwards(slice, ({ events }) => (events.length === 0 ? undefined : this.catchUp()))
  }

  /** Reads what is new. */
  catchUp(): Promise<void> {
    return this.#inTurn(() => this.#read())
  }

  /**
   * Appends what `decide` says in view of all that is there, and says whether it said anything; it is asked again where somebody else
   * was faster.
   */
  append(decide: (keys: ParkedKeys) => FactsToAppend | undefined): Promise<boolean> {
    return this.#inTurn(async () => {
      for (;;) {
        const given = decide(this.#keys)
        if (given === undefined) return false
        if (await this.#tryToAppend(given)) return true
      }
    })
  }

  async #tryToAppend({ facts, about }: FactsToAppend): Promise<boolean> {
    const { streamId } = this
    const expectedVersion = this.#version
    const commandId = commandIdOf(facts, about, expectedVersion)
    const origin: FactOrigin = {
      commandId,
      causationId: about?.eventId ?? commandId,
      correlationId: about?.correlationId ?? commandId,
      now: this.#now(),
    }
    const events = newFacts(streamId, origin, facts)
    const [result] = await this.#store.append([{ streamId, category: PARKED_CATEGORY, expectedVersion, events }])
    switch (result?.status) {
      case 'appended':
        for (const fact of facts) this.#take(fact, ++this.#version)
        this.#position = result.firstPosition + facts.length - 1
        return true
      case 'repeated':
        await this.#read()
        return true
      case 'version_conflict':
      case 'duplicate_command':
        await this.#read()
        return false
      default:
        throw new StoreError(`the ${this.#store.name} event store keeps nothing in ${streamId}: ${result?.status}`)
    }
  }

  async #read(): Promise<void> {
    for (;;) {
      const fromVersion = this.#version + 1
      const { events, streamVersion } = await this.#store.readStream(this.streamId, { fromVersion, maxCount: PAGE })
      for (const event of events) this.#fold(event)
      if (this.#version >= streamVersion || events.length === 0) return
    }
  }

  #fold(stored: StoredEvent): void {
    const fact = parkedFact(stored)
    if (fact !== undefined) this.#take(fact, stored.streamVersion)
    this.#version = stored.streamVersion
    this.#position = stored.position
  }

  #take(fact: ParkedFact, version: number): void {
    this.#keys.fold(fact, version)
    if (fact.fact === 'edict.EventDiscarded') this.#discarded?.add(fact.key, fact)
    if (fact.fact === 'edict.HandlerReset') this.#discarded?.reset(fact.after)
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}

/** The same for the same facts behind the same version: where an answer was lost, the append is repeated and nothing comes twice. */
function commandIdOf(facts: readonly ParkedFact[], about: EventRef | undefined, version: number): string {
  const what = about === undefined ? '' : `:${about.position}.${about.index}`
  return `${facts[0]?.fact ?? ''}${what}@${version}`
}
