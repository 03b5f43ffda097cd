import type { StreamAppend } from '../../event-store/event-store.ts'
import type { AppendCall } from './append-batch.ts'

const MOST_STREAMS = 512
const MOST_CHARACTERS = 4_000_000

/**
 * Of those who wait: whose appends go together now, and who waits on. No stream stands twice in a batch, and none is overtaken by a
 * later call for it.
 */
export function splitBatch<Call extends AppendCall>(
  waiting: readonly Call[],
): { readonly taken: Call[]; left: Call[] } {
  const taken: Call[] = []
  const passedOver: Call[] = []
  const seen = new Set<string>()
  let characters = 0
  let looked = 0
  for (const call of waiting) {
    if (seen.size >= MOST_STREAMS || characters >= MOST_CHARACTERS) break
    looked++
    const free = call.streams.every(({ streamId }) => !seen.has(streamId))
    for (const { streamId } of call.streams) seen.add(streamId)
    if (free) {
      taken.push(call)
      characters += charactersOf(call.streams)
    } else passedOver.push(call)
  }
  // However many they are: a list of them is no list of arguments.
  return { taken, left: passedOver.concat(waiting.slice(looked)) }
}

function charactersOf(streams: readonly StreamAppend[]): number {
  let characters = 0
  for (const { events } of streams) {
    for (const { data } of events) characters += (data as string | Uint8Array).length + 500
  }
  return characters
}
