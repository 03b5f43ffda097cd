import { describe, expect, it } from '@jest/globals'
import { EventCodec } from '../../lib/event-store/event-codec.ts'
import { forAnotherReader, justRecorded } from '../../lib/event-store/recorded-event.ts'
import { OBJECT_CONTENT_TYPE, type StoredEvent } from '../../lib/event-store/stored-event.ts'
import { event } from '../../lib/messages/definition.ts'
import { jsonSerializer } from '../../lib/messages/json-serializer.ts'
import type { RecordedEvent } from '../../lib/messages/recorded-event.ts'
import type { Serializer } from '../../lib/messages/serializer.ts'
import { shape } from '../../lib/messages/shape.ts'
import { upcaster } from '../../lib/messages/upcaster.ts'

const Scanned = event('Scanned', shape<{ page: { bytes: Uint8Array } }>())

function stored(data: unknown): StoredEvent {
  return {
    eventId: 'e',
    type: 'Scanned',
    schemaVersion: 1,
    contentType: OBJECT_CONTENT_TYPE,
    data,
    metadata: {},
    commandId: 'c',
    causationId: 'c',
    correlationId: 'c',
    createdAt: 0,
    streamId: 's',
    category: 'Document',
    streamVersion: 1,
    position: 1,
  }
}

function codec(options: Partial<ConstructorParameters<typeof EventCodec>[0]> = {}): EventCodec {
  return new EventCodec({
    serializer: jsonSerializer,
    serializerChosen: false,
    upcasters: [],
    values: 'objects',
    ...options,
  })
}

function bytesOf({ data }: RecordedEvent): Uint8Array {
  return (data as { page: { bytes: Uint8Array } }).page.bytes
}

describe('binary in a stored event', () => {
  const kept = stored(Scanned({ page: { bytes: Uint8Array.of(1) } }).data)

  it.each([
    ['as it was stored', codec()],
    ['as an upcaster gives it', codec({ upcasters: [upcaster('Scanned', { upcast: ({ data }) => ({ data }) })] })],
    ['as an upcaster leaves it', codec({ upcasters: [upcaster('Scanned', { upcast: (given) => given })] })],
  ])('is not shared with who reads it %s', async (_how, reading) => {
    const read = async () => (await reading.decode(kept))[0] as RecordedEvent
    const first = await read()
    expect(bytesOf(first)).toEqual(Uint8Array.of(1))
    bytesOf(first)[0] = 9
    expect(bytesOf(await read())).toEqual(Uint8Array.of(1))
    expect(reading.readsAsStored(kept)).toBe(false)
  })

  it('is not shared with who wrote it, nor between two readers of one event', () => {
    const written = justRecorded(kept, kept.data, 's', 'Document', 1, 1)
    const other = forAnotherReader(written)
    bytesOf(written)[0] = 9
    expect([bytesOf(other)[0], bytesOf(stored(kept.data) as never)[0]]).toEqual([1, 1])
    expect({ ...other, data: undefined }).toEqual({ ...written, data: undefined })
  })

  it('is what alone makes copies: other data is read as it is stored', async () => {
    const plain = stored(event('Plain', shape<object>())({ a: { b: [1] } }).data)
    const [read] = await codec().decode(plain)
    expect(read?.data).toBe(plain.data)
    expect(forAnotherReader(read as RecordedEvent)).toBe(read)
    expect(codec().readsAsStored(plain)).toBe(true)
  })
})

describe('a serializer', () => {
  const encoding = (encoded: unknown) =>
    codec({
      serializerChosen: true,
      serializer: { ...jsonSerializer, encode: () => encoded } as Serializer,
    }).encode({}, { type: 'Scanned', schemaVersion: 1, streamId: 's', category: 'Document', metadata: {} })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['a symbol', Symbol('s')],
    ['an object', {}],
  ])('that encodes to %s is refused, now or later', async (_what, encoded) => {
    expect(() => encoding(encoded)).toThrow(/a serializer gives a string or a Uint8Array/)
    await expect(encoding(Promise.resolve(encoded))).rejects.toThrow(/a serializer gives a string or a Uint8Array/)
  })

  it('may give text or bytes, now or later', async () => {
    expect(encoding('text')).toBe('text')
    expect(await encoding(Promise.resolve(Uint8Array.of(1)))).toEqual(Uint8Array.of(1))
  })
})
