import { describeThrown, StoreError } from '../../errors.ts'
import type { StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import type { NewEvent } from '../../event-store/stored-event.ts'
import type { AppendCall, BatchResult } from './append-batch.ts'
import type { Queries } from './database.ts'
import type { EventReader } from './event-reader.ts'

/** The answers of a call, with the events of what is repeated: what a command committed stays as it is, so it can be read later. */
export async function withRepeats(
  reader: EventReader,
  queries: Queries,
  { streams }: AppendCall,
  results: readonly BatchResult[],
): Promise<readonly StreamAppendResult[]> {
  const answers: StreamAppendResult[] = []
  for (const [index, result] of results.entries()) {
    if (result.status === 'repeated') {
      const { streamId, events } = streams[index] as StreamAppend
      const { commandId } = events[0] as NewEvent
      answers.push({ status: 'repeated', events: await reader.readCommand(queries, streamId, commandId) })
    } else answers.push(result)
  }
  return answers
}

export function withoutRepeats(results: readonly BatchResult[]): results is readonly StreamAppendResult[] {
  return results.every((result) => result.status !== 'repeated')
}

/** What tells a call that it was carried out, though the events that it repeats could not be read. */
export function repeatUnread(cause: unknown, results: readonly BatchResult[]): StoreError {
  const executed = results.every(({ status }) => status === 'appended' || status === 'repeated')
  return new StoreError(
    `the postgres event store cannot read what an earlier append of the same command stored: ${describeThrown(cause)}; ` +
      'those events are stored: read them, or append again, later',
    // Of several streams some may have been refused.
    { cause, outcome: executed ? 'executed' : 'unknown' },
  )
}
