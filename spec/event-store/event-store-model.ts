import { expect } from '@jest/globals'
import fc from 'fast-check'
import type {
  EventStore,
  ExpectedVersion,
  StreamAppend,
  StreamAppendResult,
} from '../../lib/event-store/event-store.ts'
import { OBJECT_CONTENT_TYPE, type NewEvent, type StoredEvent } from '../../lib/event-store/stored-event.ts'

/** What an append asks for, in small numbers, so that commands and streams meet often. */
export interface PlannedAppend {
  readonly stream: number
  readonly category: number
  readonly command: number
  readonly payload: number
  readonly count: number
  readonly expected: ExpectedVersion
}

export type Step =
  | { readonly kind: 'append'; readonly streams: readonly PlannedAppend[]; readonly atomic: boolean }
  | { readonly kind: 'together'; readonly calls: readonly PlannedAppend[] }
  | {
      readonly kind: 'read stream'
      readonly stream: number
      readonly from: number
      readonly count: number
      readonly backward: boolean
    }
  | {
      readonly kind: 'read all'
      readonly from: number
      readonly count: number
      readonly type: number
      readonly category: number
    }
  | { readonly kind: 'read command'; readonly stream: number; readonly command: number }

const small = (max: number) => fc.integer({ min: 0, max })

const plannedAppend: fc.Arbitrary<PlannedAppend> = fc.record({
  stream: small(3),
  // Mostly the category that is the stream's own.
  category: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, small(1)),
  command: small(9),
  payload: small(1),
  count: fc.integer({ min: 1, max: 3 }),
  expected: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<ExpectedVersion>('any', 'none', 'exists') },
    { weight: 3, arbitrary: small(6) },
  ),
})

const unlike = { selector: (planned: PlannedAppend) => planned.stream, minLength: 1, maxLength: 3 }

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        streams: fc.uniqueArray(plannedAppend, unlike),
        atomic: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('together' as const),
        calls: fc.array(plannedAppend, { minLength: 2, maxLength: 6 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('read stream' as const),
        stream: small(3),
        from: small(9),
        count: fc.integer({ min: 1, max: 6 }),
        backward: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('read all' as const),
        from: fc.integer({ min: 1, max: 30 }),
        count: fc.integer({ min: 1, max: 9 }),
        type: small(2),
        category: small(2),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('read command' as const), stream: small(3), command: small(9) }),
    },
  ),
  { maxLength: 40 },
)

const streamIdOf = (stream: number) => `account-${stream}`
const categoryOf = (category: number) => `Category${category}`
const commandIdOf = (command: number) => `command-${command}`

function streamAppend({ stream, category, command, payload, count, expected }: PlannedAppend): StreamAppend {
  const commandId = commandIdOf(command)
  const events = Array.from({ length: count }, (_, index): NewEvent => ({
    eventId: `${commandId}/${streamIdOf(stream)}/${index}`,
    type: `Type${payload}`,
    schemaVersion: 1,
    contentType: OBJECT_CONTENT_TYPE,
    data: { payload, index },
    metadata: {},
    commandId,
    causationId: commandId,
    correlationId: 'correlation',
    createdAt: 5,
  }))
  return { streamId: streamIdOf(stream), category: categoryOf(category), expectedVersion: expected, events }
}

/** An event store as plainly as can be: one list, and a scan for every question. */
export class EventStoreModel {
  readonly events: StoredEvent[] = []

  stream(streamId: string): StoredEvent[] {
    return this.events.filter((event) => event.streamId === streamId)
  }

  command(streamId: string, commandId: string): StoredEvent[] {
    return this.stream(streamId).filter((event) => event.commandId === commandId)
  }

  #refusal({ streamId, category, expectedVersion, events }: StreamAppend): StreamAppendResult | undefined {
    const stream = this.stream(streamId)
    const version = stream.length
    if (version > 0 && stream[0]!.category !== category)
      return { status: 'category_mismatch', actual: stream[0]!.category }
    const before = this.command(streamId, events[0]!.commandId)
    if (before.length > 0) {
      const payload = (list: readonly NewEvent[]) => JSON.stringify(list.map(({ type, data }) => [type, data]))
      return payload(before) === payload(events)
        ? { status: 'repeated', events: before }
        : { status: 'duplicate_command' }
    }
    const holds =
      expectedVersion === 'any' ||
      (expectedVersion === 'exists' ? version > 0 : version === (expectedVersion === 'none' ? 0 : expectedVersion))
    return holds ? undefined : { status: 'version_conflict', actual: version }
  }

  #write({ streamId, category, events }: StreamAppend): StreamAppendResult {
    const firstPosition = this.events.length + 1
    for (const event of events) {
      const streamVersion = this.stream(streamId).length + 1
      this.events.push({ ...event, streamId, category, streamVersion, position: this.events.length + 1 })
    }
    return { status: 'appended', streamVersion: this.stream(streamId).length, firstPosition }
  }

  append(streams: readonly StreamAppend[], atomic: boolean): StreamAppendResult[] {
    if (!atomic) return streams.map((stream) => this.#refusal(stream) ?? this.#write(stream))
    const refusals = streams.map((stream) => this.#refusal(stream))
    if (refusals.every((refusal) => refusal === undefined || refusal.status === 'repeated')) {
      return streams.map((stream, index) => refusals[index] ?? this.#write(stream))
    }
    return refusals.map((refusal) =>
      refusal === undefined || refusal.status === 'repeated' ? { status: 'abandoned' } : refusal,
    )
  }
}

/** Does the same to the store and to the model, and compares what they answer. */
export async function assertBehavesAsModel(store: EventStore, plan: readonly Step[]): Promise<void> {
  const model = new EventStoreModel()
  for (const step of plan) await take(step, store, model)
  const all = await store.readAll({ maxCount: 1_000 })
  expect(all.events).toEqual(model.events)
}

async function take(step: Step, store: EventStore, model: EventStoreModel): Promise<void> {
  switch (step.kind) {
    case 'append': {
      const streams = step.streams.map(streamAppend)
      expect(await store.append(streams, { atomic: step.atomic })).toEqual(model.append(streams, step.atomic))
      return
    }
    case 'together':
      await takeTogether(step.calls.map(streamAppend), store, model)
      return
    case 'read stream': {
      const { from, count, backward } = step
      const stream = model.stream(streamIdOf(step.stream))
      const slice = await store.readStream(streamIdOf(step.stream), {
        ...(from > 0 && { fromVersion: from }),
        maxCount: count,
        direction: backward ? 'backward' : 'forward',
      })
      const events = backward
        ? stream.filter((event) => from === 0 || event.streamVersion <= from).reverse()
        : stream.filter((event) => event.streamVersion >= from)
      expect(slice).toEqual({
        events: events.slice(0, count),
        streamVersion: stream.length,
        category: stream[0]?.category,
      })
      return
    }
    case 'read all': {
      const { from, count } = step
      const types = new Set([`Type${step.type}`])
      const category = categoryOf(step.category)
      const slice = await store.readAll({ fromPosition: from, maxCount: count, types, category })
      const events = model.events
        .filter((event) => event.position >= from && types.has(event.type) && event.category === category)
        .slice(0, count)
      const headPosition = model.events.length
      const end = Math.max(headPosition, from - 1)
      expect(slice).toEqual({
        events,
        lastPosition: events.length === count ? events.at(-1)!.position : end,
        headPosition,
      })
      return
    }
    case 'read command': {
      const [streamId, commandId] = [streamIdOf(step.stream), commandIdOf(step.command)]
      expect(await store.readCommand(streamId, commandId)).toEqual(model.command(streamId, commandId))
    }
  }
}

/** Calls that run at once may commit in any order: the model follows in the order that their answers tell of. */
async function takeTogether(calls: readonly StreamAppend[], store: EventStore, model: EventStoreModel): Promise<void> {
  const before = model.events.length
  const answers = (await Promise.all(calls.map(async (call) => store.append([call])))).map((answer) => answer[0]!)
  const appended = calls
    .map((call, index) => ({ call, answer: answers[index]! }))
    .filter(({ answer }) => answer.status === 'appended')
    .sort((one, other) => positionOf(one.answer) - positionOf(other.answer))
  for (const { call, answer } of appended) expect(model.append([call], false)).toEqual([answer])
  for (const [index, call] of calls.entries()) {
    const answer = answers[index]!
    if (answer.status === 'version_conflict')
      expect(answer.actual).toBeLessThanOrEqual(model.stream(call.streamId).length)
    if (answer.status === 'repeated')
      expect(answer.events).toEqual(model.command(call.streamId, call.events[0]!.commandId))
    if (answer.status === 'category_mismatch') expect(answer.actual).toBe(model.stream(call.streamId)[0]?.category)
    if (answer.status === 'duplicate_command')
      expect(model.command(call.streamId, call.events[0]!.commandId)).not.toEqual([])
  }
  const events = appended.reduce((sum, { call }) => sum + call.events.length, 0)
  expect(await store.headPosition()).toBe(before + events)
}

function positionOf(answer: StreamAppendResult): number {
  return answer.status === 'appended' ? answer.firstPosition : 0
}
