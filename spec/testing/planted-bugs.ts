import type { Checkpoint } from '../../lib/event-store/checkpoint.ts'
import type { Snapshot } from '../../lib/event-store/snapshot.ts'
import type { StoredEvent } from '../../lib/event-store/stored-event.ts'
import { planted, type PlantedBug } from './planted-store.ts'

const skipping = (event: StoredEvent) => ({ ...event, position: event.position + Math.floor(event.position / 3) })

export const plantedBugs: readonly PlantedBug[] = [
  {
    bug: 'positions that skip',
    makeStore: planted(({ readAll }) => ({
      readAll: (options) => {
        const slice = readAll(options)
        return { ...slice, events: slice.events.map(skipping) }
      },
    })),
    found: [
      'appending: takes 1,000 events in one append',
      'concurrent appends: commits all of them, at positions without gaps',
      'reading all events: gives all events in the order of positions',
    ],
  },
  {
    bug: 'a conflict that fails its neighbour',
    makeStore: planted(({ store, append }) => ({
      append: (streams, options) =>
        streams.length > 1 && store.capabilities.atomicStreams
          ? append(streams, { atomic: true })
          : append(streams, options),
    })),
    found: [
      'appending: appends to the neighbours of a stream whose expected version does not hold',
      'appending: appends to the neighbours of a stream of another category',
    ],
  },
  {
    bug: 'an event that is lost',
    makeStore: planted(({ append }) => ({
      append: (streams, options) => {
        const cut = streams.map((stream) =>
          stream.events.length < 3 ? stream : { ...stream, events: stream.events.slice(0, -1) },
        )
        return append(cut, options)
      },
    })),
    found: [
      'appending: numbers the events of a stream without gaps, over one append and several',
      'appending: keeps the order of the events within an append',
      'reading a stream: goes through 10,000 events in batches, each once and in order',
    ],
  },
  {
    bug: 'an expected version that nobody looks at',
    makeStore: planted(({ append }) => ({
      append: (streams, options) =>
        append(
          streams.map((stream) => ({ ...stream, expectedVersion: 'any' })),
          options,
        ),
    })),
    found: [
      'expected versions: refuses an append to a stream at version 3 that expects 2',
      'expected versions: refuses an append to a stream that is not there that expects exists',
      'concurrent appends: lets one of many at the same expected version win, and tells the others of the conflict',
    ],
  },
  {
    bug: 'a conflict without the actual version',
    makeStore: planted(({ append }) => ({
      append: (streams, options) =>
        append(streams, options).map((answer) =>
          answer.status === 'version_conflict' ? { ...answer, actual: 0 } : answer,
        ),
    })),
    found: ['expected versions: refuses an append to a stream at version 1 that expects none'],
  },
  {
    bug: 'an atomic append that is not atomic',
    makeStore: planted(({ append }) => ({ append: (streams) => append(streams) })),
    found: [
      'atomic appends: commit nothing where one expected version does not hold',
      'atomic appends: of which many run at once over the same streams commit whole or not at all',
    ],
  },
  {
    bug: 'a category that nobody looks at',
    makeStore: planted(({ append, readStream }) => ({
      append: (streams, options) =>
        append(
          streams.map((stream) => ({ ...stream, category: readStream(stream.streamId).category ?? stream.category })),
          options,
        ),
    })),
    found: ['appending: names the category of a stream that is appended to as another'],
  },
  {
    bug: 'a command id that nobody looks for',
    makeStore: planted(({ append }) => ({
      append: (streams, options) =>
        append(
          streams.map((stream) => ({ ...stream, deduplicate: false })),
          options,
        ),
    })),
    found: [
      'a repeated command id: is answered with the events of the first time, and writes nothing',
      'a repeated command id: is refused with other data',
      'concurrent appends: appends a command that is sent many times at once only once',
    ],
  },
  {
    bug: 'a repeat that is taken for the first, whatever it brings',
    makeStore: planted(({ store, append }) => ({
      append: (streams, options) =>
        append(streams, options).map((answer, index) => {
          const stream = streams[index]!
          return answer.status === 'duplicate_command'
            ? {
                status: 'repeated',
                events: store.readCommand(stream.streamId, stream.events[0]!.commandId) as StoredEvent[],
              }
            : answer
        }),
    })),
    found: ['a repeated command id: is refused with other data', 'a repeated command id: is refused with more events'],
  },
  {
    bug: 'a filter that counts what it did not let through',
    makeStore: planted(({ readAll }) => ({
      readAll: ({ types, ...options } = {}) => {
        const slice = readAll(options)
        return { ...slice, events: slice.events.filter((event) => types?.has(event.type) !== false) }
      },
    })),
    found: ['reading all events: counts only the events that passed'],
  },
  {
    bug: 'a last position that is that of the last event that passed',
    makeStore: planted(({ readAll }) => ({
      readAll: (options) => {
        const slice = readAll(options)
        return { ...slice, lastPosition: slice.events.at(-1)?.position ?? (options?.fromPosition ?? 1) - 1 }
      },
    })),
    found: ['reading all events: tells that it looked at all where no type passes'],
  },
  {
    bug: 'a direction that nobody looks at',
    makeStore: planted(({ readStream }) => ({
      readStream: (streamId, { direction: _, ...options } = {}) => readStream(streamId, options),
    })),
    found: ['reading a stream: goes backward from the end'],
  },
  {
    bug: 'a time that is kept to the second',
    makeStore: planted(({ readStream }) => ({
      readStream: (streamId, options) => {
        const slice = readStream(streamId, options)
        const rounded = (event: StoredEvent) => ({ ...event, createdAt: Math.floor(event.createdAt / 1_000) * 1_000 })
        return { ...slice, events: slice.events.map(rounded) }
      },
    })),
    found: ['the stored format: keeps the time to the millisecond'],
  },
  {
    bug: 'metadata that goes through an object literal',
    makeStore: planted(({ readStream }) => ({
      readStream: (streamId, options) => {
        const slice = readStream(streamId, options)
        const copied = (event: StoredEvent) => {
          const metadata: Record<string, unknown> = {}
          for (const [key, value] of Object.entries(event.metadata)) metadata[key] = value
          return { ...event, metadata }
        }
        return { ...slice, events: slice.events.map(copied) }
      },
    })),
    found: ['the stored format: keeps metadata of any depth and with any keys, __proto__ and constructor among them'],
  },
  {
    bug: 'a tenant that becomes null',
    makeStore: planted(({ readStream }) => ({
      readStream: (streamId, options) => {
        const slice = readStream(streamId, options)
        return {
          ...slice,
          events: slice.events.map((event) => ({ ...event, tenant: event.tenant ?? (null as never) })),
        }
      },
    })),
    found: [
      'the stored format: leaves a tenant that is not given out',
      'the stored format: has no tenant key where the tenant is undefined',
    ],
  },
  {
    bug: 'a watcher that throws into the append',
    makeStore: planted(({ append }) => {
      const listeners = new Set<() => void>()
      return {
        append: (streams, options) => {
          const answers = append(streams, options)
          for (const listener of listeners) listener()
          return answers
        },
        watch: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      }
    }),
    found: ['watching: keeps what a listener throws away from the append and from the other listeners'],
  },
  {
    bug: 'a watch that tells before the events can be read',
    makeStore: planted(({ append }) => {
      const listeners = new Set<() => void>()
      return {
        append: (streams, options) => {
          for (const listener of listeners) listener()
          return append(streams, options)
        },
        watch: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      }
    }),
    found: ['watching: tells a listener when the events can be read'],
  },
  {
    bug: 'a checkpoint without a fence',
    makeStore: planted(({ store }) => ({
      saveCheckpoint: (checkpoint) => {
        const latest = store.readCheckpoint(checkpoint.name) as Checkpoint | undefined
        return store.saveCheckpoint({ ...checkpoint, epoch: latest?.epoch ?? checkpoint.epoch })
      },
    })),
    found: [
      'checkpoints: refuse a save with an older epoch, and keep their place',
      'checkpoints: refuse a save of the owner before, when another has taken them',
      'checkpoints: refuse a save of an owner from before they were deleted',
    ],
  },
  {
    bug: 'a checkpoint that anybody can take',
    makeStore: planted(({ store }) => ({
      claimCheckpoint: (name, options) => store.claimCheckpoint(name, { ...options, owner: 'anybody' }),
    })),
    found: [
      'checkpoints: are refused to another owner while they are held',
      'checkpoints: are given to one of many owners that claim at once',
    ],
  },
  {
    bug: 'a snapshot that only goes forward',
    makeStore: planted(({ store }) => ({
      saveSnapshot: (snapshot, options) => {
        const before = store.readSnapshot(snapshot.streamId) as Snapshot | undefined
        return (before?.streamVersion ?? 0) < snapshot.streamVersion ? store.saveSnapshot(snapshot, options) : true
      },
    })),
    found: ['snapshots: replace the one before, of whatever version'],
  },
  {
    bug: 'a snapshot that is written whoever holds the checkpoint',
    makeStore: planted(({ store }) => ({
      saveSnapshot: (snapshot) => store.saveSnapshot(snapshot),
      deleteSnapshot: (streamId) => store.deleteSnapshot(streamId),
    })),
    found: ['fenced snapshots: are neither written nor deleted by an owner that was superseded'],
  },
  {
    bug: 'a close that closes at once for everybody',
    makeStore: planted(({ store }) => {
      let opens = 0
      return {
        open: () => {
          if (opens++ === 0) return store.open()
        },
        close: () => {
          opens = 0
          return store.close()
        },
      }
    }),
    found: ['lifecycle: stays open until every open is paired with a close'],
  },
  {
    bug: 'a read option that nobody checks',
    makeStore: planted(({ readStream }) => ({
      readStream: (streamId, { fromVersion, maxCount, direction } = {}) =>
        readStream(streamId, {
          ...(fromVersion !== undefined && fromVersion > 0 && { fromVersion: Math.floor(fromVersion) }),
          ...(maxCount !== undefined && { maxCount }),
          ...(direction !== undefined && { direction }),
        }),
    })),
    found: ['bad arguments: refuses a bad first version', 'bad arguments: refuses unknown options of reading'],
  },
]
