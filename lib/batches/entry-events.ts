import type { SealedMessage } from '../messages/sealed-message.ts'
import type { Metadata, RecordedEvent } from '../messages/recorded-event.ts'
import { plainEnvelope, storedMetadata } from '../dispatch/new-events.ts'
import { justRecorded } from '../event-store/recorded-event.ts'
import { OBJECT_CONTENT_TYPE } from '../event-store/stored-event.ts'
import type { Committed } from '../unit-of-work/unit-commit.ts'
import type { Unit } from '../unit-of-work/unit.ts'
import type { BatchEntry } from './batch-entry.ts'

/** What a command has brought about so far: aggregate by aggregate in the order of loading. The events have no position yet. */
export function provisionalEvents(unit: Unit, entry: BatchEntry): readonly RecordedEvent[] {
  let metadata: Metadata | undefined
  const found: RecordedEvent[] = []
  for (const { instance, runs } of unit.changedBy(entry)) {
    // The events of one command stand together, and it is the last one that has run.
    const run = runs.findLast(({ source }) => source === entry)
    if (run === undefined) continue
    metadata ??= storedMetadata(entry)
    const { streamId, model } = instance
    for (const [index, event] of run.events.entries()) {
      const envelope = plainEnvelope(entry, metadata, instance, event, index, OBJECT_CONTENT_TYPE)
      found.push(Object.freeze(justRecorded(envelope, event.data, streamId, model.name, run.from + index, 0)))
    }
  }
  return Object.freeze(found)
}

/** What a command has stored. */
export interface StoredEvents {
  /** As they were decided on, with their marks. */
  readonly made: SealedMessage[]
  readonly recorded: RecordedEvent[]
}

/** What each command has stored. */
export function storedEvents({ roots }: Committed): ReadonlyMap<unknown, StoredEvents> {
  const bySource = new Map<unknown, StoredEvents>()
  for (const { root, events } of roots) {
    let at = 0
    for (const run of root.runs) {
      const stored = bySource.get(run.source) ?? { made: [], recorded: [] }
      bySource.set(run.source, stored)
      stored.made.push(...run.events)
      stored.recorded.push(...events.slice(at, at + run.events.length))
      at += run.events.length
    }
  }
  return bySource
}
