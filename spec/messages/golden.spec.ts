import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from '@jest/globals'
import {
  aggregate,
  command,
  event,
  jsonSerializer,
  readRecordedEvents,
  router,
  shape,
  type NewEvent,
  type RecordedEvent,
} from 'edict'
import { started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

/** What each line of the golden file said when it was stored. The file is never changed: a new format gets a new one. */
const SAID: Readonly<Record<string, unknown>> = {
  plain: { text: 'é🦉', number: 1.5, yes: true, none: null, list: [1, [2, {}]] },
  dates: { at: new Date('2024-02-29T12:00:00.123Z'), early: new Date(-1) },
  'an invalid date': { at: new Date(Number.NaN) },
  maps: {
    map: new Map<unknown, unknown>([
      ['a', 1],
      [{ k: 1 }, new Map([[2n, 'two']])],
    ]),
  },
  sets: { set: new Set<unknown>([1, 'a', new Date(0)]) },
  bigints: { small: 0n, large: -123456789012345678901234567890n },
  bytes: { bytes: Uint8Array.of(0, 1, 127, 128, 255), none: new Uint8Array(0) },
  'numbers that JSON has no text for': { minusZero: -0, nan: Number.NaN, up: Infinity, down: -Infinity },
  undefined: { here: undefined, list: [undefined, 1] },
  'odd texts': { high: 'a\ud800b', low: '\udc00', nul: 'a\0b', separators: '\u2028\u2029' },
  'objects that look like encoded values': { date: { $date: 0 }, object: { $object: { $map: [] } }, other: { $x: 1 } },
}

interface GoldenLine extends NewEvent {
  readonly name: string
  readonly data: string
}

const lines: readonly GoldenLine[] = readFileSync(new URL('golden/events-0.1.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  // The file is written by hand of this repository, one event a line.
  .map((line) => JSON.parse(line) as GoldenLine)

const Keep = command('Keep', shape<{ id: string }>())
const Kept = event('Kept', shape<object>())
const Cellar = aggregate('Cellar', {
  commands: [Keep],
  events: [Kept],
  initialState: () => ({ kept: [] as unknown[] }),
  execute: { Keep: () => Kept({}) },
  apply: (cellar, { data }) => ({ kept: [...cellar.kept, data] }),
})
const cellars = router('cellars', (r) =>
  r.identify(Cellar, { by: 'id', prefix: 'cellar-' }).dispatch(Keep, { to: Cellar }),
)

const text = (value: unknown) => jsonSerializer.encode(value, lines[0] as never)

describe('the stored format of 0.1', () => {
  it('has a golden line for each kind of value', () => {
    expect(lines.map(({ name }) => name)).toEqual(Object.keys(SAID))
  })

  it.each(lines)('is written still as it was: $name', ({ name, data }) => {
    expect(text(SAID[name])).toBe(data)
  })

  it.each(lines)('is read exactly: $name', ({ name, data }) => {
    const read = jsonSerializer.decode(data, lines[0] as never)
    // Equality takes two invalid dates for different ones.
    if (name === 'an invalid date') expect((read as { at: Date }).at.getTime()).toBeNaN()
    else expect(read).toEqual(SAID[name])
    // What equality does not tell apart, its text does: -0 and 0, an undefined field and none.
    expect(text(read)).toBe(data)
  })
})

describe.each(everyStore)('the stored format of 0.1 on $kind', ({ share }) => {
  const stores = share()

  it('is read by aggregates and readers as what it said', async () => {
    const eventStore = stores.node()
    const app = await started({ router: cellars, eventStore })
    for (const { name, ...stored } of lines) {
      const expectedVersion = Object.keys(SAID).indexOf(name)
      await eventStore.append([{ streamId: 'cellar-1', category: 'Cellar', expectedVersion, events: [stored] }])
    }
    const { kept } = await app.aggregateState(Cellar, '1')
    const read: RecordedEvent[] = []
    for await (const recorded of readRecordedEvents(eventStore)) read.push(recorded)
    expect(kept.map(text)).toEqual(lines.map(({ data }) => data))
    expect(read.map(({ data }) => text(data))).toEqual(lines.map(({ data }) => data))
    expect(read[0]).toMatchObject({
      type: 'Kept',
      schemaVersion: 1,
      metadata: { userId: 'ada', tags: ['x', null] },
      commandId: 'golden-0',
      causationId: 'cause-0',
      correlationId: 'story-0',
      createdAt: new Date(1_700_000_000_000),
    })
  })
})
