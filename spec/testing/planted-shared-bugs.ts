import { randomUUID } from 'node:crypto'
import type { ProjectionStore } from '../../lib/event-store/projection-store.ts'
import type { StreamInfo } from '../../lib/event-store/stream-info.ts'
import { overlaid, type PlantedBug } from './planted-store.ts'
import { sharedCapabilities, sharedMemoryStore, type PlantIntoProcess } from './shared-memory-store.ts'
import type { SharedTables } from './shared-tables.ts'

const shared = (plant: PlantIntoProcess): Pick<PlantedBug, 'makeStore' | 'capabilities'> => ({
  makeStore: () => sharedMemoryStore(plant),
  capabilities: sharedCapabilities,
})

/** The tables, but for some of their operations. */
function withTables(tables: SharedTables, over: Partial<SharedTables>): { readonly projections: ProjectionStore } {
  return { projections: overlaid(tables, over) }
}

export const plantedSharedBugs: readonly PlantedBug[] = [
  {
    bug: 'a checkpoint that is written beside the transaction',
    ...shared((process, tables) =>
      withTables(tables, { saveCheckpoint: async (_, checkpoint) => process.saveCheckpoint(checkpoint) }),
    ),
    found: ['projections: roll rows and checkpoint back where the work rejects late'],
  },
  {
    bug: 'a checkpoint in a transaction that has no fence',
    ...shared((process, tables) =>
      withTables(tables, {
        saveCheckpoint: async (tx, checkpoint) => {
          const latest = await process.readCheckpoint(checkpoint.name)
          return tables.saveCheckpoint(tx, { ...checkpoint, epoch: latest?.epoch ?? checkpoint.epoch })
        },
      }),
    ),
    found: ['checkpoints in transactions: are refused to one whose claim no longer holds, and stay as they are'],
  },
  {
    bug: 'a transaction that commits what threw',
    ...shared((_, tables) =>
      withTables(tables, {
        transaction: async (work) => {
          let thrown: { readonly value: unknown } | undefined
          const result = await tables.transaction(async (tx) => {
            try {
              return await work(tx)
            } catch (value) {
              thrown = { value }
              return undefined as never
            }
          })
          if (thrown !== undefined) throw thrown.value
          return result
        },
      }),
    ),
    found: [
      'projections: roll rows and checkpoint back where the work throws',
      'projections: commit each by itself when many run at once',
      'projections: drop no table where the transaction is rolled back',
    ],
  },
  {
    bug: 'a transaction that wraps what the work threw',
    ...shared((_, tables) =>
      withTables(tables, {
        transaction: async (work) =>
          tables.transaction(work).catch((cause: unknown) => {
            throw new Error('the transaction failed', { cause })
          }),
      }),
    ),
    found: ['projections: give the driver’s own error to the work, and through it to the caller'],
  },
  {
    bug: 'a view over a table of the user’s own',
    ...shared((_, tables) =>
      withTables(tables, {
        publish: (tx, publication) => {
          for (const view of Object.keys(publication.tables)) tx.tables.delete(view)
          tables.publish(tx, publication)
        },
      }),
    ),
    found: ['projections: never put a view over a table of the user’s own'],
  },
  {
    bug: 'a view over that of another publication',
    ...shared((_, tables) =>
      withTables(tables, {
        publish: (tx, publication) => {
          for (const view of Object.keys(publication.tables)) tx.views.delete(view)
          tables.publish(tx, publication)
        },
      }),
    ),
    found: ['projections: never put a view over one that is another publication’s'],
  },
  {
    bug: 'a publication of which only the tables are kept',
    ...shared((_, tables) =>
      withTables(tables, {
        publish: (tx, { name, version, generation, tables: views }) => {
          tables.publish(tx, { name, version, generation, tables: views })
        },
      }),
    ),
    found: ['projections: keep what a publication says beside its tables'],
  },
  {
    bug: 'publications that are found by their names',
    ...shared((_, tables) =>
      withTables(tables, {
        findPublications: (tx, views) => views.flatMap((view) => tables.readPublication(tx, view) ?? []),
      }),
    ),
    found: ['projections: find the publications that have a view'],
  },
  {
    bug: 'a publication that is forgotten, but not its views',
    ...shared((_, tables) =>
      withTables(tables, {
        unpublish: (tx, name) => void tx.publications.delete(name),
      }),
    ),
    found: ['projections: forget a publication, with its views and without its tables'],
  },
  {
    bug: 'a process that remembers the state of streams',
    ...shared((process) => {
      const known = new Map<string, StreamInfo>()
      const remembered = async (streamId: string) => {
        const info = known.get(streamId) ?? (await process.readStreamInfo(streamId))
        if (info !== undefined) known.set(streamId, info)
        return info
      }
      return {
        append: async (streams, options) => {
          const answers = await process.append(streams, options)
          for (const { streamId } of streams) await remembered(streamId)
          return answers
        },
        readStreamInfo: remembered,
      }
    }),
    found: ['several processes: see that a stream was archived, described and restored by another'],
  },
  {
    bug: 'a process that is woken by its own appends only',
    ...shared((process) => {
      const listeners = new Set<() => void>()
      return {
        append: async (streams, options) => {
          const answers = await process.append(streams, options)
          for (const listener of listeners) listener()
          return answers
        },
        watch: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      }
    }),
    found: ['several processes: are woken by what the others append'],
  },
  {
    bug: 'a claim that other processes do not know of',
    ...shared((process) => {
      const own = randomUUID()
      return {
        claimCheckpoint: async (name, options) => {
          const claim = await process.claimCheckpoint(`${name} of ${own}`, options)
          return claim && { ...claim, name }
        },
      }
    }),
    found: [
      'several processes: hold a checkpoint one at a time',
      'several processes: give a checkpoint to one of many that claim it at once',
    ],
  },
  {
    bug: 'an archive that is forgotten with the process',
    ...shared((process) => {
      const archived = new Set<string>()
      return {
        archiveStream: async (streamId) => {
          const info = await process.readStreamInfo(streamId)
          if (info === undefined) return { status: 'unknown_stream' }
          archived.add(streamId)
          return { status: 'changed', stream: { ...info, state: 'archived' } }
        },
        append: async (streams, options) => {
          const [first] = streams
          if (first !== undefined && archived.has(first.streamId))
            return [{ status: 'stream_closed', state: 'archived' }]
          return process.append(streams, options)
        },
      }
    }),
    found: ['after a restart: streams are as archived and described as before'],
  },
]
