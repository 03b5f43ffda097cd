import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { AuditEntry } from './audit-entry.ts'
import type { AuditPage, CheckedAuditQuery } from './audit-query.ts'

/** Where an audit trail is kept. The trail calls `open` before anything else, and each `open` is followed by one `close`. */
export interface AuditStore {
  /** For messages. */
  readonly name: string
  open(): MaybePromise<void>
  close(): MaybePromise<void>
  /** Where it fails, all of them come again. One whose `entryId` is there already takes that one's place. */
  write(entries: readonly AuditEntry[]): MaybePromise<void>
  /** In the order in which they were first written, or against it. */
  find(query: CheckedAuditQuery): MaybePromise<AuditPage>
}
