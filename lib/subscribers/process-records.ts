import { frozenState } from '../aggregate/frozen-state.ts'
import type { Clock } from '../effects/clock.ts'
import { silencedPromise } from '../effects/refuse-promise.ts'
import { InvalidOutcomeError, UnreadableStateError, describeThrown } from '../errors.ts'
import type { CheckpointHold } from '../event-store/checkpoint.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { Snapshot } from '../event-store/snapshot.ts'
import { immutableCopy } from '../messages/immutable.ts'
import { SealedMessage, type SealedDefinition } from '../messages/sealed-message.ts'
import { NEW_PROCESS, type ProcessRecord } from './process-record.ts'
import type { ProcessManagerModel } from './process-manager-model.ts'
import { PROCESS_CATEGORY } from './process-name.ts'

/** Where the state of an instance is kept, and for whom: what `processStateId` gives, and the tenant. */
export interface ProcessPlace {
  readonly stateId: string
  readonly tenant: string | undefined
}

/** As it is stored: encoded by the application's serializer, so that the state keeps its types. */
interface StoredRecord {
  readonly status: ProcessRecord['status']
  readonly state: unknown
  readonly position: number
  readonly index: number
  readonly plan?: {
    readonly position: number
    readonly index: number
    readonly commands: readonly { readonly key: string; readonly type: string; readonly data: unknown }[]
  }
}

export interface ProcessRecordsOptions {
  readonly model: Pick<ProcessManagerModel, 'name' | 'stateVersion' | 'migrateState'>
  readonly store: EventStore
  readonly codec: EventCodec
}

/** Reads what is kept of the instances of a process manager. */
export class ProcessRecordReader {
  readonly #options: ProcessRecordsOptions

  constructor(options: ProcessRecordsOptions) {
    this.#options = options
  }

  /**
   * @param place where the state is kept
   * @param place.stateId its id
   * @param place.tenant whose it is
   * @param commands all commands of the application, by type, where a plan is of interest
   * @throws {UnreadableStateError} `unreadable_state`: what is kept is never taken for nothing
   */
  async read(
    { stateId, tenant }: ProcessPlace,
    commands?: ReadonlyMap<string, SealedDefinition>,
  ): Promise<ProcessRecord> {
    const snapshot = await this.#options.store.readSnapshot(stateId)
    if (snapshot === undefined) return NEW_PROCESS
    try {
      return await this.#recordOf(snapshot, tenant, commands)
    } catch (cause) {
      if (cause instanceof UnreadableStateError) throw cause
      throw new UnreadableStateError(`the state ${stateId} cannot be read: ${describeThrown(cause)}`, { cause })
    }
  }

  async #recordOf(
    snapshot: Snapshot,
    tenant: string | undefined,
    commands: ReadonlyMap<string, SealedDefinition> | undefined,
  ) {
    const { stateVersion, migrateState } = this.#options.model
    const { snapshotVersion, streamId } = snapshot
    const isCurrent = snapshotVersion === stateVersion
    if (!isCurrent && migrateState === undefined) {
      throw new UnreadableStateError(
        `the state ${streamId} is of version ${snapshotVersion}, and the process manager's is ${stateVersion}: give it migrateState`,
      )
    }
    // Only this class writes under such an id.
    const stored = (await this.#options.codec.decodeSnapshot(snapshot, tenant)) as StoredRecord
    const { status, position, index, plan } = stored
    const hasState = status === 'running'
    const state: unknown =
      isCurrent || !hasState
        ? stored.state
        : plainData(migrateState?.(frozenState(stored.state), snapshotVersion), 'what migrateState gave')
    return {
      status,
      state: frozenState(state),
      position,
      index,
      plan: plan &&
        commands && {
          ...plan,
          commands: plan.commands.map(({ key, type, data }) => ({ key, command: remade(commands, type, data) })),
        },
    } satisfies ProcessRecord
  }
}

function remade(commands: ReadonlyMap<string, SealedDefinition>, type: string, data: unknown): SealedMessage {
  const definition = commands.get(type)
  if (definition === undefined) throw new TypeError(`it plans a command ${type}, which no router registers`)
  // It was checked when it was made first; what its schema gives need not be what the schema takes.
  return new SealedMessage(definition, plainData(data, `the data of ${type}`))
}

/** @throws {InvalidOutcomeError} `invalid_outcome` where it could not be read back as it is, or is nothing at all */
export function plainData(value: unknown, what: string): unknown {
  if (value === undefined) throw new InvalidOutcomeError(`${what} is nothing`)
  if (silencedPromise(value)) throw new InvalidOutcomeError(`${what} is a promise, and must be there at once`)
  const copied = immutableCopy(value, { allowInstances: false })
  if ('issue' in copied) throw new InvalidOutcomeError(`${what} is not plain data: ${copied.issue.message}`)
  return copied.value
}

/** Keeps what is known of the instances, under the fence of the claim of their process manager. */
export class ProcessRecords extends ProcessRecordReader {
  readonly #options: ProcessRecordsOptions & { readonly clock: Pick<Clock, 'now'> }

  constructor(options: ProcessRecordsOptions & { readonly clock: Pick<Clock, 'now'> }) {
    super(options)
    this.#options = options
  }

  /**
   * False, and nothing is written, where another owner has taken the process manager over.
   *
   * @throws {InvalidOutcomeError} `invalid_outcome` where the state is not plain data, which could not be read back as it was
   */
  async write({ stateId, tenant }: ProcessPlace, record: ProcessRecord, hold: CheckpointHold): Promise<boolean> {
    const { model, store, codec, clock } = this.#options
    const { status, position, index, plan } = record
    const value: StoredRecord = {
      status,
      state: record.state === undefined ? undefined : plainData(record.state, `the state of ${model.name}`),
      position,
      index,
      ...(plan && {
        plan: {
          position: plan.position,
          index: plan.index,
          commands: plan.commands.map(({ key, command: { type, data } }) => ({ key, type, data })),
        },
      }),
    }
    const head = {
      ...{ streamId: stateId, category: PROCESS_CATEGORY, snapshotVersion: model.stateVersion, createdAt: clock.now() },
      streamVersion: Math.max(1, position),
    }
    const data = await codec.encodeSnapshot(Object.freeze(value), head, tenant)
    return store.saveSnapshot({ ...head, contentType: codec.contentType, data }, { hold })
  }

  /** False where another owner has taken the process manager over. */
  async delete(stateId: string, hold: CheckpointHold): Promise<boolean> {
    return this.#options.store.deleteSnapshot(stateId, { hold })
  }
}
