import fc from 'fast-check'
import type { ExpectedVersion, StreamAppend } from '../../lib/event-store/event-store.ts'
import { OBJECT_CONTENT_TYPE, type NewEvent } from '../../lib/event-store/stored-event.ts'

/** What an append asks for, in small numbers, so that commands and streams meet often. */
export interface PlannedAppend {
  readonly stream: number
  readonly category: number
  readonly command: number
  readonly payload: number
  readonly count: number
  readonly expected: ExpectedVersion
}

/** What is asked of a checkpoint, by who holds it or by one from before. */
interface PlannedHold {
  readonly checkpoint: number
  readonly stale: boolean
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
      readonly backward: boolean
      readonly type: number | undefined
      readonly category: number | undefined
      readonly correlation: number | undefined
      readonly tenant: number | undefined
    }
  | { readonly kind: 'read command'; readonly stream: number; readonly command: number }
  | {
      readonly kind: 'change stream'
      readonly stream: number
      readonly change: 'archive' | 'restore' | 'delete' | 'describe'
      readonly level: number
      readonly expected: number | undefined
    }
  | { readonly kind: 'claim'; readonly checkpoint: number; readonly owner: number; readonly startAfter: number }
  | ({ readonly kind: 'save'; readonly position: number } & PlannedHold)
  | ({ readonly kind: 'release' } & PlannedHold)
  | { readonly kind: 'renew'; readonly holds: readonly PlannedHold[] }
  | { readonly kind: 'delete checkpoint'; readonly checkpoint: number }

const small = (max: number) => fc.integer({ min: 0, max })
const maybe = (max: number) => fc.option(small(max), { nil: undefined })

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

const hold = { checkpoint: small(1), stale: fc.boolean() }

const kind = <const Kind extends Step['kind']>(name: Kind) => fc.constant(name)

const appends = fc.record({
  kind: kind('append'),
  streams: fc.uniqueArray(plannedAppend, unlike),
  atomic: fc.boolean(),
})

const reads = fc.oneof(
  fc.record({
    kind: kind('read stream'),
    stream: small(3),
    from: small(9),
    count: fc.integer({ min: 1, max: 6 }),
    backward: fc.boolean(),
  }),
  fc.record({
    kind: kind('read all'),
    from: fc.integer({ min: 1, max: 30 }),
    count: fc.integer({ min: 1, max: 9 }),
    backward: fc.boolean(),
    type: maybe(2),
    category: maybe(2),
    correlation: maybe(3),
    tenant: maybe(3),
  }),
  fc.record({ kind: kind('read command'), stream: small(3), command: small(9) }),
)

const changes = fc.record({
  kind: kind('change stream'),
  stream: small(3),
  // What cannot be undone stands last and is rare, so that most plans go on with open streams.
  change: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('archive', 'restore', 'restore', 'describe') },
    { weight: 1, arbitrary: fc.constant('delete' as const) },
  ),
  level: small(5),
  expected: maybe(6),
})

const holds = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('claim'), checkpoint: small(1), owner: small(1), startAfter: small(9) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('save'), position: small(50), ...hold }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('release'), ...hold }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('renew'), holds: fc.array(fc.record(hold), { maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('delete checkpoint'), checkpoint: small(1) }) },
)

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: appends },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: kind('together'),
        calls: fc.array(plannedAppend, { minLength: 2, maxLength: 6 }),
      }),
    },
    { weight: 5, arbitrary: reads },
    { weight: 2, arbitrary: changes },
    { weight: 3, arbitrary: holds },
  ),
  { maxLength: 40 },
)

export const streamIdOf = (stream: number) => `account-${stream}`
export const categoryOf = (category: number) => `Category${category}`
export const commandIdOf = (command: number) => `command-${command}`
export const correlationIdOf = (command: number) => `correlation-${command % 3}`

export const tenantOf = (stream: number) => `tenant-${stream % 3}`

/** Data as a store takes it: the value itself, or encoded. */
export type Encode = (value: unknown) => Pick<NewEvent, 'data' | 'contentType'>

export const asObject: Encode = (data) => ({ data, contentType: OBJECT_CONTENT_TYPE })
export const asJson: Encode = (data) => ({ data: JSON.stringify(data), contentType: 'application/json' })

export function streamAppend(planned: PlannedAppend, encode: Encode): StreamAppend {
  const { stream, category, command, payload, count, expected } = planned
  const commandId = commandIdOf(command)
  const events = Array.from({ length: count }, (_, index): NewEvent => ({
    eventId: `${commandId}/${streamIdOf(stream)}/${index}`,
    type: `Type${payload}`,
    schemaVersion: 1,
    ...encode({ payload, index }),
    metadata: { payload },
    commandId,
    causationId: commandId,
    correlationId: correlationIdOf(command),
    // One in three streams has none.
    ...(stream % 3 > 0 && { tenant: tenantOf(stream) }),
    createdAt: 5,
  }))
  return { streamId: streamIdOf(stream), category: categoryOf(category), expectedVersion: expected, events }
}
