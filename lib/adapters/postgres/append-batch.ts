import type { AppendOptions, ExpectedVersion, StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import type { NewEvent } from '../../event-store/stored-event.ts'
import { booleanArray, bytesArray, elementsOf, numberArray, textArray } from './array-literal.ts'
import type { Parameter, Row } from './database.ts'
import { dataColumns, metadataColumn } from './stored-data.ts'

/** One call of `append`. */
export interface AppendCall {
  readonly streams: readonly StreamAppend[]
  readonly atomic: boolean
}

/** What became of a stream: the answer, but for a repeat, whose events are still to be read. */
export type BatchResult = Exclude<StreamAppendResult, { status: 'repeated' }> | { readonly status: 'repeated' }

export interface BatchAnswer {
  /** For each call, for each of its streams. */
  readonly results: readonly (readonly BatchResult[])[]
  /** The last position that was written; 0 where none was. */
  readonly headPosition: number
}

interface Member {
  readonly append: StreamAppend
  /** The place among the results. */
  readonly call: number
  readonly place: number
  /** Above 0 for the streams that commit together. */
  readonly group: number
  /** The place of its first event among all of the batch, from 1. */
  readonly first: number
}

const SQL =
  'SELECT head, versions, statuses, states, to_json(found_categories) FROM "edict".append(' +
  `${Array.from({ length: 24 }, (_, index) => `$${index + 1}`).join(', ')})`

export function appendCall(streams: readonly StreamAppend[], options: AppendOptions | undefined): AppendCall {
  return { streams, atomic: options?.atomic === true && streams.length > 1 }
}

/** Several calls that are appended by one statement. No stream stands in two of them. */
export class AppendBatch {
  static readonly sql = SQL
  readonly #calls: readonly AppendCall[]
  /** In the order in which they are locked, which is the same for everyone. */
  readonly #members: readonly Member[]

  constructor(calls: readonly AppendCall[]) {
    this.#calls = calls
    const members: Member[] = []
    let first = 1
    for (const [call, { streams, atomic }] of calls.entries()) {
      for (const [place, append] of streams.entries()) {
        members.push({ append, call, place, group: atomic ? call + 1 : 0, first })
        first += append.events.length
      }
    }
    this.#members = members.length === 1 ? members : members.sort(byStreamId)
  }

  /** `channel`: on which to tell of the append at the commit; null where the caller does. */
  parameters(channel: string | null): Parameter[] {
    const members = this.#members
    const looked = members.map(({ append }) => append.deduplicate !== false)
    return [
      textArray(members.map(({ append }) => append.streamId)),
      textArray(members.map(({ append }) => append.category)),
      numberArray(members.map(({ append }) => expectedNumber(append.expectedVersion))),
      numberArray(members.map(({ append }) => append.events.length)),
      textArray(members.map(({ append }) => (append.events[0] as NewEvent).commandId)),
      looked.includes(true) ? booleanArray(looked) : null,
      numberArray(members.map((member) => member.first)),
      members.some(({ group }) => group > 0) ? numberArray(members.map(({ group }) => group)) : null,
      ...this.#eventParameters(),
      channel,
    ]
  }

  #eventParameters(): Parameter[] {
    const inOrderOfCalls = [...this.#members.entries()].sort(([, one], [, other]) => one.first - other.first)
    const streams: number[] = []
    const behind: number[] = []
    const events: NewEvent[] = []
    let commands: (string | null)[] | undefined
    for (const [index, { append }] of inOrderOfCalls) {
      const { length } = append.events
      const [first] = append.events
      for (const [at, event] of append.events.entries()) {
        streams.push(index + 1)
        behind.push(length - 1 - at)
        if (event.commandId !== first?.commandId) (commands ??= [])[events.length] = event.commandId
        events.push(event)
      }
    }
    const data = events.map((event) => dataColumns(event.data))
    return [
      numberArray(streams),
      numberArray(behind),
      textArray(events.map((event) => event.eventId)),
      textArray(events.map((event) => event.type)),
      numberArray(events.map((event) => event.schemaVersion)),
      textArray(events.map((event) => event.contentType)),
      numberArray(data.map(({ format }) => format)),
      textArray(data.map(({ text }) => text)),
      data.some(({ bytes }) => bytes !== null) ? bytesArray(data.map(({ bytes }) => bytes)) : null,
      textArray(events.map((event) => metadataColumn(event.metadata))),
      textArray(events.map(({ causationId, commandId }) => (causationId === commandId ? null : causationId))),
      textArray(events.map(({ correlationId, commandId }) => (correlationId === commandId ? null : correlationId))),
      events.some(({ tenant }) => tenant !== undefined) ? textArray(events.map(({ tenant }) => tenant ?? null)) : null,
      numberArray(events.map((event) => event.createdAt)),
      commands === undefined ? null : textArray(events.map((_event, index) => commands[index] ?? null)),
    ]
  }

  answer(row: Row | undefined): BatchAnswer {
    if (row === undefined) throw new Error('the function that appends gave no answer')
    const [head, versions, statuses, states, categories] = row
    const read: RowAnswer = {
      versions: elementsOf(versions as string).map(Number),
      statuses: typeof statuses === 'string' ? elementsOf(statuses) : undefined,
      states: typeof states === 'string' ? elementsOf(states) : [],
      // A list of texts, as the function says.
      categories: typeof categories === 'string' ? (JSON.parse(categories) as readonly string[]) : [],
    }
    const results = this.#calls.map(({ streams }) => new Array<BatchResult>(streams.length))
    // Positions go by the order of calls, and over what was refused.
    let position = Number(head ?? 0)
    for (const [index, member] of [...this.#members.entries()].sort(([, one], [, other]) => one.first - other.first)) {
      const result = resultOf(member.append, index, read, position + 1)
      if (result.status === 'appended') position += member.append.events.length
      ;(results[member.call] as BatchResult[])[member.place] = result
    }
    return { results, headPosition: position === Number(head ?? 0) ? 0 : position }
  }
}

interface RowAnswer {
  /** As they would be, had each stream taken its events. */
  readonly versions: readonly number[]
  /** Undefined where each did; then there are no states and categories. */
  readonly statuses: readonly string[] | undefined
  readonly states: readonly string[]
  readonly categories: readonly string[]
}

function resultOf({ events }: StreamAppend, index: number, answer: RowAnswer, firstPosition: number): BatchResult {
  const streamVersion = answer.versions[index] as number
  switch (answer.statuses?.[index]) {
    case undefined:
    case 'a':
      return { status: 'appended', streamVersion, firstPosition }
    case 'r':
      return { status: 'repeated' }
    case 'd':
      return { status: 'duplicate_command' }
    case 's':
      return { status: 'stream_closed', state: answer.states[index] as 'archived' | 'deleted' }
    case 'c':
      return { status: 'category_mismatch', actual: answer.categories[index] as string }
    case 'o':
      return { status: 'abandoned' }
    default:
      return { status: 'version_conflict', actual: streamVersion - events.length }
  }
}

function byStreamId(one: Member, other: Member): number {
  return one.append.streamId < other.append.streamId ? -1 : 1
}

/** As the functions that append take it. */
export function expectedNumber(expected: ExpectedVersion): number {
  if (typeof expected === 'number') return expected
  if (expected === 'none') return 0
  return expected === 'any' ? -1 : -2
}
