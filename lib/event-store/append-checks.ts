import { InvalidOptionError } from '../errors.ts'
import { checkObject, checkOptions, checkText, checkWhole, shown } from './argument-checks.ts'
import { mustAppendAtomically } from './atomic-streams.ts'
import type { AppendOptions, EventStoreCapabilities, StreamAppend } from './event-store.ts'
import { MAX_NAME_LENGTH, MAX_STREAM_ID_LENGTH } from './limits.ts'
import type { NewEvent } from './stored-event.ts'

/** Up to so many things are compared with each other; more of them go through a Set. */
const FEW = 8

/** Equal to nothing that a caller can give. */
const NONE = Symbol('none')

const APPEND_OPTIONS = ['atomic']

/** The checks in front of `append`: on the hot path, so that what is common is passed without a call or an allocation. */
export class AppendChecks {
  readonly #store: { readonly name: string; readonly capabilities: EventStoreCapabilities }
  readonly #encoded: boolean
  // Categories, types and content types are few: the one that passed last is not looked through again.
  #category: unknown = NONE
  #type: unknown = NONE
  #contentType: unknown = NONE

  constructor(name: string, capabilities: EventStoreCapabilities) {
    this.#store = { name, capabilities }
    this.#encoded = capabilities.values === 'encoded'
  }

  /** @throws {InvalidOptionError} `invalid_option`; UnsupportedCapabilityError `unsupported_capability` */
  check(streams: readonly StreamAppend[], options: AppendOptions | undefined): void {
    if (options !== undefined) this.#checkOptions(options)
    if (!isFilledList(streams)) {
      throw new InvalidOptionError('append: a list of at least one stream is needed')
    }
    let events = 0
    for (const stream of streams) events += this.#checkStream(stream)
    if (streams.length > 1) checkUnique('stream', streams.map(streamIdOf))
    if (events > 1) checkUnique('event id', streams.flatMap(eventIdsOf))
  }

  #checkOptions(options: AppendOptions): void {
    checkOptions('append', options, APPEND_OPTIONS)
    const atomic: unknown = options.atomic
    if (atomic !== undefined && typeof atomic !== 'boolean') {
      throw new InvalidOptionError(`append: atomic must be true or false, not ${shown(atomic)}`)
    }
    if (atomic === true) mustAppendAtomically(this.#store)
  }

  /** @returns how many events the stream is to get */
  #checkStream(stream: StreamAppend): number {
    checkObject('append', 'a stream', stream)
    const { streamId, category, expectedVersion, events } = stream
    checkText('append', 'streamId', streamId, MAX_STREAM_ID_LENGTH)
    if (category !== this.#category) {
      checkText('append', 'category', category)
      this.#category = category
    }
    checkExpectedVersion(expectedVersion)
    checkDeduplicate(stream.deduplicate)
    if (!isFilledList(events)) {
      throw new InvalidOptionError(`append: at least one event is needed for the stream ${streamId}`)
    }
    const commandId = events[0]?.commandId
    let severalCommands = false
    for (const event of events) {
      this.#checkEvent(event)
      if (event.commandId !== commandId) severalCommands = true
    }
    if (severalCommands) checkCommands(stream)
    return events.length
  }

  #checkEvent(event: NewEvent): void {
    checkObject('append', 'an event', event)
    const { type, contentType, commandId, causationId, schemaVersion, createdAt, tenant } = event
    if (type !== this.#type) {
      checkText('append', 'type', type)
      this.#type = type
    }
    if (contentType !== this.#contentType) {
      checkText('append', 'contentType', contentType)
      this.#contentType = contentType
    }
    this.#checkId('eventId', event.eventId)
    this.#checkId('commandId', commandId)
    if (causationId !== commandId) this.#checkId('causationId', causationId)
    this.#checkId('correlationId', event.correlationId)
    if (tenant !== undefined) checkText('append', 'tenant', tenant)
    if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1)
      checkWhole('append', 'schemaVersion', schemaVersion, 1)
    if (!Number.isSafeInteger(createdAt)) {
      throw new InvalidOptionError(`append: createdAt must be whole milliseconds, not ${shown(createdAt)}`)
    }
    checkObject('append', 'metadata', event.metadata)
    if (this.#encoded) checkEncoded('append', event.data)
  }

  /** What keeps values keeps any text; looking through three ids costs as much as storing the event. */
  #checkId(what: string, id: string): void {
    if (!this.#encoded && typeof id === 'string' && id.length > 0 && id.length <= MAX_NAME_LENGTH) return
    checkText('append', what, id)
  }
}

/** Refuses data that no serializer gave, for the stores that keep encoded data only. */
export function checkEncoded(where: string, data: unknown): void {
  if (typeof data === 'string' || data instanceof Uint8Array) return
  throw new InvalidOptionError(`${where}: data must be encoded, as a string or a Uint8Array, not ${shown(data)}`)
}

function isFilledList(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0
}

function checkExpectedVersion(expected: unknown): void {
  if (typeof expected === 'number' && Number.isSafeInteger(expected) && expected >= 0) return
  if (expected === 'any' || expected === 'none' || expected === 'exists') return
  throw new InvalidOptionError(
    `append: expectedVersion must be 'any', 'none', 'exists' or a whole number of at least 0, not ${shown(expected)}`,
  )
}

function checkDeduplicate(deduplicate: unknown): void {
  if (deduplicate === undefined || typeof deduplicate === 'boolean') return
  throw new InvalidOptionError(`append: deduplicate must be true or false, not ${shown(deduplicate)}`)
}

/** Whether a command has committed before can be asked of one command only. */
function checkCommands({ streamId, deduplicate, events }: StreamAppend): void {
  if (deduplicate !== false) {
    throw new InvalidOptionError(
      `append: all events of one append to the stream ${streamId} carry one commandId, unless deduplicate is false`,
    )
  }
  const begun = new Set<string>()
  for (const [index, { commandId }] of events.entries()) {
    if (commandId === events[index - 1]?.commandId) continue
    if (begun.has(commandId)) {
      throw new InvalidOptionError(
        `append: the events of the command ${commandId} in the stream ${streamId} do not stand together`,
      )
    }
    begun.add(commandId)
  }
}

function streamIdOf(stream: StreamAppend): string {
  return stream.streamId
}

function eventIdsOf(stream: StreamAppend): string[] {
  return stream.events.map((event) => event.eventId)
}

function checkUnique(what: string, ids: readonly string[]): void {
  if (ids.length > FEW && new Set(ids).size === ids.length) return
  for (const [index, id] of ids.entries()) {
    if (ids.indexOf(id) === index) continue
    throw new InvalidOptionError(`append: the ${what} ${id} stands twice in one call`)
  }
}
