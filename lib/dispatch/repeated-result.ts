import { Hydration, type VersionedState } from '../aggregate/hydrate.ts'
import type { Instance } from '../aggregate/instance.ts'
import { allOrNone, isPromiseLike, proceed, type MaybePromise } from '../effects/maybe-promise.ts'
import { DuplicateCommandError, StreamClosedError, TenantMismatchError } from '../errors.ts'
import { FINGERPRINT_KEY } from '../event-store/recorded-event.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import { fingerprint } from '../messages/fingerprint.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { Executed } from './executed.ts'
import type { DispatchServices } from './services.ts'

/**
 * The result of a command that committed before, as it was then; only its `reply` is not kept.
 *
 * @throws {DuplicateCommandError} `duplicate_command` where it was another command under the same id; StreamClosedError
 *   `stream_closed` where its events are deleted, so that nobody can tell; TenantMismatchError `tenant_mismatch`
 */
export function repeatedResult(
  source: DispatchServices,
  instance: Instance,
  command: SealedMessage,
  events: readonly StoredEvent[],
): MaybePromise<ExecutionResult> {
  const first = events[0]
  const last = events.at(-1)
  if (first === undefined || last === undefined) throw new DuplicateCommandError('', instance.streamId)
  if (first.tenant !== instance.tenant) {
    throw new TenantMismatchError(instance.streamId, instance.tenant, first.tenant)
  }
  // It took effect, whatever became of its events since.
  if (first.tombstone === true) throw new StreamClosedError(instance.streamId, 'deleted', { outcome: 'executed' })
  const known = first.metadata[FINGERPRINT_KEY]
  if (known !== fingerprint(command)) {
    throw new DuplicateCommandError(first.commandId, instance.streamId, known !== undefined)
  }
  const then = new Repeat(source, instance, events, last.streamVersion)
  return then.result()
}

class Repeat {
  readonly #source: DispatchServices
  readonly #instance: Instance
  readonly #events: readonly StoredEvent[]
  readonly #version: number

  constructor(source: DispatchServices, instance: Instance, events: readonly StoredEvent[], version: number) {
    this.#source = source
    this.#instance = instance
    this.#events = events
    this.#version = version
  }

  /** The state right after the command, which others may have left behind since. */
  #stateThen(): MaybePromise<VersionedState> {
    const { state, version } = this.#instance
    if (version === this.#version) return { state, version }
    return proceed(this.#source.snapshots.load(this.#instance, this.#version), this, this.#hydrate)
  }

  #hydrate(from: VersionedState): MaybePromise<VersionedState> {
    if (from.version === this.#version) return from
    return new Hydration(this.#source, this.#instance, from, undefined, this.#version).run()
  }

  result(): MaybePromise<ExecutionResult> {
    return proceed(this.#stateThen(), this, this.#with)
  }

  #with({ state }: VersionedState): MaybePromise<ExecutionResult> {
    const decoded = allOrNone(this.#events, (stored) => this.#source.codec.decode(stored))
    const executed = (lists: readonly (readonly RecordedEvent[])[]): ExecutionResult => {
      const recorded = Object.freeze(lists.flat())
      return new Executed(this.#instance, this.#version, recorded, recorded[0]?.metadata ?? {}, state, undefined)
    }
    return decoded.some(isPromiseLike)
      ? Promise.all(decoded.map((list) => Promise.resolve(list))).then(executed)
      : executed(decoded as readonly (readonly RecordedEvent[])[])
  }
}
