import type { NewEvent, StoredEvent } from '../../event-store/stored-event.ts'
import { assert, assertEqual } from './assertions.ts'
import { unlessEncoded, unlessObjects, type CaseDefinition, type CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

/** Every way to read, for what is stored must be the same in each. */
async function readEveryWay(tested: StoreUnderTest, event: NewEvent): Promise<StoredEvent[]> {
  await tested.write('account-1', [event])
  const { store } = tested
  const repeated = await tested.append('account-1', [event])
  assert(repeated.status === 'repeated', `the repeat was answered ${repeated.status}`)
  const found = [
    ...(await store.readStream('account-1')).events,
    ...(await store.readStream('account-1', { direction: 'backward' })).events,
    ...(await store.readAll()).events,
    ...(await store.readCommand('account-1', event.commandId)),
    ...repeated.events,
  ]
  assertEqual(found.length, 5, 'the number of ways to read the event')
  return found
}

/** An event with these fields comes back as it was given, and with nothing else. */
function roundTripCase(
  name: string,
  fields: Partial<NewEvent> | ((tested: StoreUnderTest) => Partial<NewEvent>),
  skip?: CaseDefinition['skip'],
): CaseDefinition {
  return {
    name,
    ...(skip && { skip }),
    run: async (tested) => {
      const event = tested.event(typeof fields === 'function' ? fields(tested) : fields)
      const place = { streamId: 'account-1', category: 'BankAccount', streamVersion: 1, position: 1 }
      for (const stored of await readEveryWay(tested, event)) {
        assertEqual(stored, { ...event, ...place }, 'the stored event')
      }
    },
  }
}

function encodedCase(name: string, data: string | Uint8Array): CaseDefinition {
  return roundTripCase(name, { data, contentType: 'application/x-odd' }, unlessEncoded)
}

const oddMetadata = JSON.parse(
  `{"__proto__": {"polluted": true}, "constructor": "c", "toString": null, "": "empty key", "nested": {"list": [1, "a", {}], "__proto__": 1},
    "nul": "a\\u0000b", "surrogate": "\\ud800", "emoji": "🏦", "number": 1e21, "small": 5e-324, "false": false}`,
) as NewEvent['metadata']

const oddObject = () => ({
  text: 'a\0b\ud800',
  empty: '',
  big: 2n ** 80n,
  date: new Date(8.64e15),
  map: new Map([[{ key: 1 }, new Set(['a', undefined])]]),
  numbers: [-0, Number.NaN, Infinity, 5e-324],
  nothing: undefined,
  none: null,
})

export const storedFormat: CaseGroup = {
  name: 'the stored format',
  cases: [
    roundTripCase('brings back every field as it was given', (tested) => ({
      type: 'AccountOpened',
      schemaVersion: 7,
      metadata: { user: 'zoe', roles: ['teller'] },
      causationId: tested.id(),
      tenant: 'north',
    })),
    roundTripCase('leaves a tenant that is not given out', {}),
    {
      name: 'has no tenant key where the tenant is undefined',
      run: async (tested) => {
        for (const stored of await readEveryWay(tested, tested.event({ tenant: undefined }))) {
          assert(!('tenant' in stored), 'the stored event has a tenant key')
        }
      },
    },
    roundTripCase('keeps a tenant', { tenant: 'süd 🏦' }),
    roundTripCase('keeps the time to the millisecond', { createdAt: 1_709_210_096_001 }),
    roundTripCase('keeps the time zero', { createdAt: 0 }),
    roundTripCase('keeps a time before 1970', { createdAt: -1 }),
    roundTripCase('keeps a time far ahead', { createdAt: 8.64e15 }),
    roundTripCase('keeps empty metadata', { metadata: {} }),
    roundTripCase('keeps metadata of any depth and with any keys, __proto__ and constructor among them', {
      metadata: oddMetadata,
    }),
    roundTripCase('keeps ids and types of any text', {
      eventId: "evt'1;--",
      commandId: 'Befehl №1 🏦',
      correlationId: ' ',
      type: '__proto__',
    }),
    roundTripCase('keeps the longest ids and types', {
      eventId: '漢'.repeat(255),
      commandId: '界'.repeat(255),
      correlationId: 'c'.repeat(255),
      type: 't'.repeat(255),
      contentType: `application/${'x'.repeat(243)}`,
    }),
    {
      name: 'gives the very value that was appended',
      skip: unlessObjects,
      run: async (tested) => {
        const value = Object.freeze(oddObject())
        for (const stored of await readEveryWay(tested, tested.event(tested.data(value)))) {
          assert(stored.data === value, 'the data is another object than the one that was appended')
        }
      },
    },
    encodedCase('keeps the empty text', ''),
    encodedCase('keeps text with NUL characters', '\0a\0\0b\0'),
    encodedCase('keeps text with halves of surrogate pairs', '\ud800a\udc00\udc00\ud800'),
    encodedCase('keeps text of any script', '"\'\\\n\r\u2028 漢字 🏦 \ufeff\uffff é e\u0301'),
    encodedCase('keeps text of a million characters', 'é🏦x'.repeat(250_000)),
    encodedCase('keeps text that looks like a number', '1e3'),
    encodedCase('keeps JSON to the letter', '{"b":1.0,  "a":[1e3,"\\u0041"],"a":2}'),
    encodedCase('keeps empty binary', new Uint8Array()),
    encodedCase(
      'keeps every byte',
      Uint8Array.from({ length: 512 }, (_, index) => index),
    ),
    encodedCase('keeps a megabyte of binary', new Uint8Array(1_000_000).fill(0xff)),
    {
      name: 'keeps its bytes, whatever the writer and the readers do to theirs',
      run: async (tested) => {
        const data = Uint8Array.of(1, 2, 3)
        await tested.write('account-1', [tested.event({ data, contentType: 'application/octet-stream' })])
        data.fill(9)
        const read = async () => (await tested.readStream('account-1'))[0]?.data
        const first = await read()
        assertEqual(first, Uint8Array.of(1, 2, 3), 'the bytes after the writer changed theirs')
        if (first instanceof Uint8Array) first.fill(9)
        assertEqual(await read(), Uint8Array.of(1, 2, 3), 'the bytes after a reader changed theirs')
      },
    },
    {
      name: 'shows every reader an event of its own, or a frozen one',
      run: async (tested) => {
        await tested.write('account-1', 2)
        const [event] = await tested.readStream('account-1')
        try {
          ;(event as { type: string }).type = 'Forged'
        } catch {
          // A frozen one is just as well.
        }
        assertEqual((await tested.readStream('account-1'))[0]?.type, 'MoneyDeposited', 'the type')
        assertEqual((await tested.store.readAll()).events[0]?.type, 'MoneyDeposited', 'the type among all events')
      },
    },
  ],
}
