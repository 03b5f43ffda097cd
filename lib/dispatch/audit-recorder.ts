import type { AuditEntry } from '../audit/audit-entry.ts'
import type { Ids } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import { refusePromise } from '../effects/refuse-promise.ts'
import { CommandRejectedError, HaltedError, describeThrown, type EdictError } from '../errors.ts'
import { textFault } from '../event-store/argument-checks.ts'
import { NO_METADATA } from '../event-store/frozen-metadata.ts'
import { jsonText, valueOfJsonText } from '../messages/json-serializer.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { MiddlewareHost } from '../routing/middleware.ts'
import type { TelemetryEvents } from '../telemetry/telemetry-events.ts'

export interface AuditRecorderOptions {
  readonly ids: Ids
  readonly data: ((command: { readonly type: string; readonly data: unknown }) => unknown) | undefined
  readonly metadata: ((metadata: Metadata) => Metadata) | undefined
  readonly logger: () => Logger
  readonly record: (entry: AuditEntry) => void
}

type Ended = TelemetryEvents['dispatch:stop'] | TelemetryEvents['dispatch:exception']

/** Makes entries of what an application tells of its dispatches. */
export class AuditRecorder {
  readonly #options: AuditRecorderOptions
  /** What is under way and was not written down as begun yet, by command id. */
  readonly #underWay = new Map<string, AuditEntry[]>()

  constructor(options: AuditRecorderOptions) {
    this.#options = options
  }

  /** Gives what ends it. */
  listen(host: MiddlewareHost): () => void {
    const entries = new Map<number, AuditEntry>()
    const ends = [
      host.on('dispatch:start', (started) => {
        const entry = this.#begun(started)
        entries.set(started.operation, entry)
        this.#underWay.set(started.commandId, [...(this.#underWay.get(started.commandId) ?? []), entry])
      }),
      host.on('dispatch:stop', (stopped) => {
        this.#ended(entries, stopped, undefined)
      }),
      host.on('dispatch:exception', (failed) => {
        this.#ended(entries, failed, failed.error)
      }),
      host.on('dispatch:refuse', (refused) => {
        this.#refused(refused)
      }),
    ]
    return () => {
      for (const end of ends) end()
      // Nobody will tell of the end of these.
      for (const entry of entries.values()) this.#options.record(entry)
    }
  }

  /** Records a command as begun; false where there is none of this id under way, so that nobody would hear of its end. */
  begin(commandId: string): boolean {
    const entry = this.#underWay.get(commandId)?.[0]
    if (entry === undefined) return false
    this.#forget(commandId, entry)
    this.#options.record(entry)
    return true
  }

  #forget(commandId: string, entry: AuditEntry): void {
    const left = this.#underWay.get(commandId)?.filter((other) => other !== entry) ?? []
    if (left.length === 0) this.#underWay.delete(commandId)
    else this.#underWay.set(commandId, left)
  }

  #begun(started: TelemetryEvents['dispatch:start']): AuditEntry {
    const { application, command, commandId, causationId, correlationId, aggregate, aggregateId } = started
    const { streamId, tenant } = started
    return {
      entryId: this.#options.ids.next(),
      application,
      command,
      commandId,
      causationId,
      correlationId,
      aggregate,
      aggregateId,
      streamId,
      tenant,
      metadata: this.#metadataOf(started.metadata),
      dispatchedAt: new Date(started.startedAt),
      duration: undefined,
      outcome: 'begun',
      ...NO_ERROR,
      aggregateVersion: undefined,
      events: [],
      data: this.#dataOf(command, started.data),
    }
  }

  #ended(entries: Map<number, AuditEntry>, ended: Ended, error: EdictError | undefined): void {
    const begun = entries.get(ended.operation)
    // It began before anybody listened.
    if (begun === undefined) return
    entries.delete(ended.operation)
    if (begun.commandId !== undefined) this.#forget(begun.commandId, begun)
    const { outcome, duration, aggregateVersion, metadata, streamId, tenant } = ended
    const events = ended.events.map(({ eventId, type, streamId, streamVersion, position }) => ({
      eventId,
      type,
      streamId,
      streamVersion,
      position,
    }))
    const said = this.#said(error)
    this.#options.record(
      Object.freeze({
        ...begun,
        ...said,
        streamId,
        tenant,
        metadata: this.#metadataOf(metadata),
        duration,
        outcome,
        aggregateVersion,
        events,
      }),
    )
  }

  #refused(refused: TelemetryEvents['dispatch:refuse']): void {
    const { application, command, commandId, causationId, correlationId, at, error } = refused
    this.#options.record(
      Object.freeze({
        entryId: this.#options.ids.next(),
        application,
        command: textOf(command) ?? 'unknown',
        commandId: textOf(commandId),
        causationId: textOf(causationId),
        correlationId: textOf(correlationId),
        aggregate: undefined,
        aggregateId: undefined,
        streamId: undefined,
        tenant: undefined,
        metadata: NO_METADATA,
        dispatchedAt: new Date(at),
        duration: 0,
        outcome: 'refused',
        ...this.#said(error),
        aggregateVersion: undefined,
        events: [],
        data: undefined,
      }),
    )
  }

  #said(error: EdictError | undefined): Pick<AuditEntry, 'code' | 'reason' | 'details'> {
    if (error === undefined) return NO_ERROR
    const { code, message } = error
    let details: unknown
    if (error instanceof CommandRejectedError) details = error.details
    else if (error instanceof HaltedError) details = error.response
    return { code, reason: message, details: recordable(details) }
  }

  #dataOf(type: string, data: unknown): unknown {
    const { data: chosen } = this.#options
    return chosen && this.#contained('data', () => chosen({ type, data }), undefined)
  }

  #metadataOf(metadata: Metadata): Metadata {
    const { metadata: chosen } = this.#options
    if (chosen === undefined) return metadata
    // What the function gives is made of JSON values, or of their like.
    return this.#contained('metadata', () => chosen(metadata), NO_METADATA) as Metadata
  }

  /** A function of the user's that fails keeps nothing from being recorded but what it was to give. */
  #contained(option: string, choose: () => unknown, otherwise: unknown): unknown {
    try {
      return recordable(refusePromise(choose(), `the audit trail's ${option}`))
    } catch (error) {
      this.#options.logger().error({ err: error }, `the audit trail's ${option} failed`)
      return otherwise
    }
  }
}

const NO_ERROR = { code: undefined, reason: undefined, details: undefined } as const

/** What a refused command says of itself was not checked: it may be the very reason. */
function textOf(id: unknown): string | undefined {
  return textFault(id) === undefined ? (id as string) : undefined
}

/** A copy of a value as a store would give it back; what cannot be written down is described. */
function recordable(value: unknown): unknown {
  if (value === undefined) return undefined
  try {
    return valueOfJsonText(jsonText(value))
  } catch {
    return describeThrown(value)
  }
}
