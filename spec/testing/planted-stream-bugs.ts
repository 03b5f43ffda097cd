import type { EventStore, ReadAllOptions, StreamAppendResult } from '../../lib/event-store/event-store.ts'
import type { StoredEvent } from '../../lib/event-store/stored-event.ts'
import type { StreamChangeResult, StreamInfo } from '../../lib/event-store/stream-info.ts'
import { planted, type PlantedBug } from './planted-store.ts'

const stateOf = (store: EventStore, streamId: string) =>
  (store.readStreamInfo(streamId) as StreamInfo | undefined)?.state

export const plantedStreamBugs: readonly PlantedBug[] = [
  {
    bug: 'a deletion that leaves the data',
    makeStore: planted(({ store, readAll }) => {
      const kept = new Map<number, StoredEvent>()
      return {
        deleteStream: (streamId, options) => {
          for (const event of readAll({ maxCount: 10_000 }).events) {
            if (event.streamId === streamId && event.tombstone !== true) kept.set(event.position, event)
          }
          return store.deleteStream(streamId, options)
        },
        readAll: (options) => {
          const slice = readAll(options)
          const left = (event: StoredEvent) => ({ ...event, data: kept.get(event.position)?.data ?? event.data })
          return { ...slice, events: slice.events.map(left) }
        },
      }
    }),
    found: [
      'deleted streams: say nothing of what they said, by whatever way they are read',
      'deleted streams: leave a tombstone of each event in its place, with its ids and its type',
      'reading at scale: erases a tenth of 5,000 events, and leaves no gap',
    ],
  },
  {
    bug: 'a deletion that leaves metadata where a command is read',
    makeStore: planted(({ store }) => {
      const kept = new Map<string, StoredEvent['metadata']>()
      return {
        append: (streams, options) => {
          for (const { events } of streams) for (const event of events) kept.set(event.eventId, event.metadata)
          return store.append(streams, options)
        },
        readCommand: (streamId, commandId) => {
          const events = store.readCommand(streamId, commandId) as readonly StoredEvent[]
          return events.map((event) => ({ ...event, metadata: kept.get(event.eventId) ?? event.metadata }))
        },
      }
    }),
    found: ['deleted streams: say nothing of what they said, by whatever way they are read'],
  },
  {
    bug: 'tombstones that nobody sees',
    makeStore: planted(({ readAll }) => ({
      readAll: (options) => {
        const slice = readAll(options)
        return { ...slice, events: slice.events.filter((event) => event.tombstone !== true) }
      },
    })),
    found: [
      'deleted streams: leave no gap in versions and positions',
      'deleted streams: show their tombstones to those who read by type, category or correlation',
      'reading at scale: erases a tenth of 5,000 events, and leaves no gap',
    ],
  },
  {
    bug: 'tombstones that are given to subscriptions as events',
    makeStore: planted(({ readAll }) => ({
      readAll: (options) => {
        const slice = readAll(options)
        return { ...slice, events: slice.events.map(({ tombstone: _, ...event }) => event) }
      },
    })),
    found: ['deleted streams: are passed over by subscriptions, which go on behind them'],
  },
  {
    bug: 'a snapshot that outlives its stream',
    makeStore: planted(({ store }) => {
      const kept = new Map<string, object>()
      return {
        saveSnapshot: (snapshot) => kept.set(snapshot.streamId, snapshot).size > 0,
        readSnapshot: (streamId) => (kept.get(streamId) ?? store.readSnapshot(streamId)) as never,
      }
    }),
    found: ['deleted streams: have no snapshot, and get none from who still holds their state'],
  },
  {
    bug: 'a deleted stream that can be begun anew',
    makeStore: planted(({ store, append }) => ({
      append: (streams, options) =>
        append(streams, options).map((answer, index): StreamAppendResult => {
          const none = streams[index]!.expectedVersion === 'none'
          if (answer.status !== 'stream_closed' || !none || answer.state !== 'deleted') return answer
          return { status: 'appended', streamVersion: 1, firstPosition: (store.headPosition() as number) + 1 }
        }),
    })),
    found: ['deleted streams: take no events for good, whatever version they expect'],
  },
  {
    bug: 'an archived stream that takes events',
    makeStore: planted(({ store, append }) => ({
      append: (streams, options) => {
        const archived = streams.map(({ streamId }) => streamId).filter((id) => stateOf(store, id) === 'archived')
        for (const streamId of archived) void store.restoreStream(streamId)
        const answers = append(streams, options)
        for (const streamId of archived) void store.archiveStream(streamId)
        return answers
      },
    })),
    found: [
      'archived streams: refuse every append, and write nothing',
      'archived streams: never fail their neighbours',
      'archived streams: stay at the version that the answer told of, though many append at once',
    ],
  },
  {
    bug: 'a closed stream that does not know a repeated command',
    makeStore: planted(({ store, append }) => ({
      append: (streams, options) =>
        append(streams, options).map((answer, index) => {
          const state = stateOf(store, streams[index]!.streamId)
          const repeats = answer.status === 'repeated' || answer.status === 'duplicate_command'
          if (!repeats || state === undefined || state === 'active') return answer
          return { status: 'stream_closed', state }
        }),
    })),
    found: [
      'archived streams: answer the repeat of a command as the first time',
      'deleted streams: answer the repeat of a command with its tombstones',
    ],
  },
  {
    bug: 'an expected version of a change that nobody looks at',
    makeStore: planted(({ store }) => ({
      archiveStream: (streamId) => store.archiveStream(streamId),
      deleteStream: (streamId) => store.deleteStream(streamId),
    })),
    found: ['streams: are changed at the version that was asked for, and not at another'],
  },
  {
    bug: 'metadata of a stream that are merged into those before',
    makeStore: planted(({ store }) => ({
      writeStreamMetadata: (streamId, metadata, options): StreamChangeResult => {
        const before = (store.readStreamInfo(streamId) as StreamInfo | undefined)?.metadata
        return store.writeStreamMetadata(streamId, { ...before, ...metadata }, options) as StreamChangeResult
      },
    })),
    found: [
      'streams: have the metadata that were written last, whole',
      'streams: are described by one of many at once, not by a mixture',
    ],
  },
  {
    bug: 'a correlation id that nobody looks at',
    makeStore: planted(({ readAll }) => ({
      readAll: ({ correlationId: _, ...options } = {}) => readAll(options),
    })),
    found: [
      'reading by correlation: gives the events of a conversation, of whatever stream, in order',
      'reading by correlation: and category passes only what both let through',
      'reading at scale: gives just the events that pass a filter, none twice and none left out',
    ],
  },
  {
    bug: 'a correlation id that makes the other filters forgotten',
    makeStore: planted(({ readAll }) => ({
      readAll: ({ types, category, ...options }: ReadAllOptions = {}) => {
        if (options.correlationId !== undefined) return readAll(options)
        return readAll({ ...options, ...(types && { types }), ...(category !== undefined && { category }) })
      },
    })),
    found: [
      'reading by correlation: and type passes only what both let through',
      'reading by correlation: with type and category passes only what all three let through',
    ],
  },
  {
    bug: 'a tenant that nobody looks at',
    makeStore: planted(({ readAll }) => ({
      readAll: ({ tenant: _, ...options } = {}) => readAll(options),
    })),
    found: [
      'reading by tenant: gives the events of a tenant, of whatever stream, in order',
      'reading by tenant: and correlation passes only what both let through',
    ],
  },
  {
    bug: 'a tenant that makes the other filters forgotten',
    makeStore: planted(({ readAll }) => ({
      readAll: ({ types, category, ...options }: ReadAllOptions = {}) => {
        if (options.tenant !== undefined) return readAll(options)
        return readAll({ ...options, ...(types && { types }), ...(category !== undefined && { category }) })
      },
    })),
    found: [
      'reading by tenant: and type passes only what both let through',
      'reading by tenant: and category passes only what both let through',
      'reading by tenant: reaches a rare type behind 12,000 other events of the tenant',
    ],
  },
  {
    bug: 'a page that loses its last event when it is large',
    makeStore: planted(({ readAll }) => ({
      readAll: (options) => {
        const slice = readAll(options)
        return slice.events.length > 400 ? { ...slice, events: slice.events.slice(0, -1) } : slice
      },
    })),
    found: [
      'reading at scale: gives each of 5,000 events once and in order, whatever the size of the pages',
      'reading at scale: gives just the events that pass a filter, none twice and none left out',
    ],
  },
  {
    bug: 'a lost event, once in a while',
    makeStore: planted(({ append }) => {
      let calls = 0
      return {
        append: (streams, options) => {
          const [first] = streams
          if (++calls % 25 !== 0 || first === undefined || first.events.length < 2) return append(streams, options)
          const answers = append([{ ...first, events: first.events.slice(1) }, ...streams.slice(1)], options)
          return answers.map((answer, index) =>
            index === 0 && answer.status === 'appended'
              ? { ...answer, streamVersion: answer.streamVersion + 1 }
              : answer,
          )
        },
      }
    }),
    found: ['random work: keeps every promise under the work of 6 writers and 2 readers, by the numbers of 1'],
  },
]
