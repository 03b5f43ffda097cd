import type { EventStore } from '../../lib/event-store/event-store.ts'

/** An adapter that notes what it is asked, and answers at once with nothing, unless told otherwise. */
export function scriptedAdapter(script: Partial<EventStore> = {}) {
  const calls: string[] = []
  const noted =
    <Answer>(name: string, answer: Answer) =>
    (): Answer => {
      calls.push(name)
      return answer
    }
  const adapter: EventStore = {
    name: 'scripted',
    capabilities: {
      ...{ atomicStreams: true, durable: false, multiProcess: false },
      ...{ projections: false, commands: false, values: 'objects' },
    },
    open: noted('open', undefined),
    close: noted('close', undefined),
    append: noted('append', [{ status: 'appended', streamVersion: 1, firstPosition: 1 }]),
    readStream: noted('readStream', { events: [], streamVersion: 0, category: undefined, state: undefined }),
    readAll: noted('readAll', { events: [], lastPosition: 0, headPosition: 0 }),
    readCommand: noted('readCommand', []),
    headPosition: noted('headPosition', 0),
    readStreamInfo: noted('readStreamInfo', undefined),
    writeStreamMetadata: noted('writeStreamMetadata', { status: 'unknown_stream' }),
    archiveStream: noted('archiveStream', { status: 'unknown_stream' }),
    restoreStream: noted('restoreStream', { status: 'unknown_stream' }),
    deleteStream: noted('deleteStream', { status: 'unknown_stream' }),
    watch: noted('watch', () => undefined),
    saveSnapshot: noted('saveSnapshot', true),
    readSnapshot: noted('readSnapshot', undefined),
    deleteSnapshot: noted('deleteSnapshot', true),
    claimCheckpoint: noted('claimCheckpoint', undefined),
    renewCheckpoints: noted('renewCheckpoints', []),
    saveCheckpoint: noted('saveCheckpoint', false),
    releaseCheckpoint: noted('releaseCheckpoint', undefined),
    readCheckpoint: noted('readCheckpoint', undefined),
    deleteCheckpoint: noted('deleteCheckpoint', undefined),
    listCheckpoints: noted('listCheckpoints', []),
    ...script,
  }
  return { adapter, calls }
}
