import type { SealedMessage } from '../messages/sealed-message.ts'
import type { Metadata, RecordedEvent } from '../messages/recorded-event.ts'
import { plainEnvelope, storedMetadata } from '../dispatch/new-events.ts'
import { justRecorded } from '../event-store/recorded-event.ts'
import { OBJECT_CONTENT_TYPE } from '../event-store/stored-event.ts'
import type { Committed } from '../unit-of-work/unit-commit.ts'
import type { UnitRoot } from '../unit-of-work/unit-root.ts'
import type { BatchEntry } from './batch-entry.ts'

/** What a command has brought about so far: aggregate by aggregate in the order of loading. The events have no position yet. */
export function provisionalEvents(roots: readonly UnitRoot[], entry: BatchEntry): readonly RecordedEvent[] {
  let metadata: Metadata | undefined
  const found: RecordedEvent[] = []
  for (const root of roots) {
    let version = root.loadedVersion
    for (const { source, events } of root.runs) {
      if (source === entry) {
        metadata ??= storedMetadata(entry)
        for (const [index, event] of events.entries()) {
          const { instance } = root
          const envelope = plainEnvelope(entry, metadata, instance, event, index, OBJECT_CONTENT_TYPE)
          const { streamId, model } = instance
          found.push(Object.freeze(justRecorded(envelope, event.data, streamId, model.name, version + 1 + index, 0)))
        }
      }
      version += events.length
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
