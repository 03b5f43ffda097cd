import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { describeThrown, EdictError, InvalidOptionError, NotRunningError, StoreError, type Outcome } from '../errors.ts'
import { checkedAppendAnswer, isList, isSlice } from './answer-checks.ts'
import { AppendChecks, checkEncoded } from './append-checks.ts'
import { checkObject, checkOptionalWhole, checkOptions, checkText, checkWhole, shown } from './argument-checks.ts'
import type { Checkpoint, CheckpointClaim, ClaimOptions } from './checkpoint.ts'
import type {
  AllSlice,
  AppendOptions,
  EventStore,
  EventStoreCapabilities,
  ReadAllOptions,
  ReadStreamOptions,
  StreamAppend,
  StreamAppendResult,
  StreamSlice,
} from './event-store.ts'
import { MAX_STREAM_ID_LENGTH } from './limits.ts'
import type { Snapshot } from './snapshot.ts'
import type { StoredEvent } from './stored-event.ts'

const READ_STREAM_OPTIONS = ['fromVersion', 'maxCount', 'direction']
const READ_ALL_OPTIONS = ['fromPosition', 'maxCount', 'direction', 'types', 'category']
const CLAIM_OPTIONS = ['owner', 'startAfter']

/**
 * Puts the argument and lifecycle checks in front of an adapter, so that every store refuses the same mistakes in the same
 * words and an adapter sees only calls that make sense. A store that has them already is given back as it is.
 *
 * The pairs of `open` and `close` are counted here: an adapter sees `open` and `close` in turn, never two of one kind. What
 * an adapter throws becomes a `StoreError`, unless it is an `EdictError`. What is answered at once stays so, and then a mistake
 * is thrown rather than rejected with.
 *
 * @example
 * import { checkedEventStore } from 'edict'
 *
 * export const myEventStore = (url: string) => checkedEventStore(new MyAdapter(url))
 */
export function checkedEventStore(adapter: EventStore): EventStore {
  return adapter instanceof CheckedEventStore ? adapter : new CheckedEventStore(adapter)
}

class CheckedEventStore implements EventStore {
  readonly name: string
  readonly capabilities: EventStoreCapabilities
  readonly #adapter: EventStore
  readonly #appendChecks: AppendChecks
  /** How many opens have not been paired with a close. */
  #opens = 0
  /** An open or a close that is under way; the next one waits for it. */
  #changing: PromiseLike<void> | undefined

  constructor(adapter: EventStore) {
    this.name = adapter.name
    this.capabilities = adapter.capabilities
    this.#adapter = adapter
    this.#appendChecks = new AppendChecks(adapter.name, adapter.capabilities)
  }

  open(): MaybePromise<void> {
    if (this.#changing) return this.#after(this.#changing, () => this.open())
    if (this.#opens > 0) {
      this.#opens++
      return
    }
    const opening = this.#run('open', () => this.#adapter.open())
    if (!isPromiseLike(opening)) {
      this.#opens = 1
      return
    }
    return this.#change(opening.then(() => void (this.#opens = 1)))
  }

  close(): MaybePromise<void> {
    if (this.#changing) return this.#after(this.#changing, () => this.close())
    this.#mustBeOpen('close')
    this.#opens--
    if (this.#opens > 0) return
    const closing = this.#run('close', () => this.#adapter.close())
    return isPromiseLike(closing) ? this.#change(closing) : undefined
  }

  #change(change: PromiseLike<void>): PromiseLike<void> {
    const changed = () => void (this.#changing = undefined)
    this.#changing = change.then(changed, (thrown: unknown) => {
      changed()
      throw thrown
    })
    return this.#changing
  }

  /** Whether what came before went well is the business of the one who asked for it. */
  #after(change: PromiseLike<void>, next: () => MaybePromise<void>): PromiseLike<void> {
    return change.then(next, next)
  }

  append(streams: readonly StreamAppend[], options?: AppendOptions): MaybePromise<readonly StreamAppendResult[]> {
    if (this.#opens === 0) this.#mustBeOpen('append')
    this.#appendChecks.check(streams, options)
    let answer: MaybePromise<readonly StreamAppendResult[]>
    try {
      answer = this.#adapter.append(streams, options)
    } catch (thrown) {
      throw this.#failure('append', thrown, 'unknown')
    }
    // Looking for a `then` costs more than looking for a list.
    if (Array.isArray(answer) || !isPromiseLike(answer)) return checkedAppendAnswer(this.name, streams, answer)
    return Promise.resolve(answer).then(
      (results) => checkedAppendAnswer(this.name, streams, results),
      this.#appendRejected,
    )
  }

  readonly #appendRejected = (thrown: unknown): never => {
    throw this.#failure('append', thrown, 'unknown')
  }

  readStream(streamId: string, options?: ReadStreamOptions): MaybePromise<StreamSlice> {
    this.#mustBeOpen('readStream')
    checkText('readStream', 'streamId', streamId, MAX_STREAM_ID_LENGTH)
    checkOptions('readStream', options, READ_STREAM_OPTIONS)
    checkOptionalWhole('readStream', 'fromVersion', options?.fromVersion, 1)
    checkReading('readStream', options)
    return this.#run(
      'readStream',
      () => this.#adapter.readStream(streamId, options),
      (slice) => isSlice(slice, ['streamVersion']),
    )
  }

  readAll(options?: ReadAllOptions): MaybePromise<AllSlice> {
    this.#mustBeOpen('readAll')
    checkOptions('readAll', options, READ_ALL_OPTIONS)
    checkOptionalWhole('readAll', 'fromPosition', options?.fromPosition, 1)
    checkReading('readAll', options)
    checkTypes(options?.types)
    if (options?.category !== undefined) checkText('readAll', 'category', options.category)
    return this.#run(
      'readAll',
      () => this.#adapter.readAll(options),
      (slice) => isSlice(slice, ['lastPosition', 'headPosition']),
    )
  }

  readCommand(streamId: string, commandId: string): MaybePromise<readonly StoredEvent[]> {
    this.#mustBeOpen('readCommand')
    checkText('readCommand', 'streamId', streamId, MAX_STREAM_ID_LENGTH)
    checkText('readCommand', 'commandId', commandId)
    return this.#run('readCommand', () => this.#adapter.readCommand(streamId, commandId), isList)
  }

  headPosition(): MaybePromise<number> {
    this.#mustBeOpen('headPosition')
    return this.#run('headPosition', () => this.#adapter.headPosition(), Number.isSafeInteger)
  }

  watch(listener: (headPosition?: number) => void): () => void {
    this.#mustBeOpen('watch')
    if (typeof listener !== 'function') {
      throw new InvalidOptionError(`watch: the listener must be a function, not ${shown(listener)}`)
    }
    let ended = false
    const end = this.#adapter.watch((headPosition) => {
      if (ended) return
      try {
        listener(headPosition)
      } catch {
        // It is told of a wake-up, and what it throws concerns nobody here: least of all the one who appends.
      }
    })
    return () => {
      if (ended) return
      ended = true
      end()
    }
  }

  saveSnapshot(snapshot: Snapshot): MaybePromise<void> {
    this.#mustBeOpen('saveSnapshot')
    checkObject('saveSnapshot', 'the snapshot', snapshot)
    checkText('saveSnapshot', 'streamId', snapshot.streamId, MAX_STREAM_ID_LENGTH)
    checkText('saveSnapshot', 'category', snapshot.category)
    checkText('saveSnapshot', 'contentType', snapshot.contentType)
    checkWhole('saveSnapshot', 'streamVersion', snapshot.streamVersion, 1)
    checkWhole('saveSnapshot', 'snapshotVersion', snapshot.snapshotVersion, 0)
    checkWhole('saveSnapshot', 'createdAt', snapshot.createdAt, Number.MIN_SAFE_INTEGER)
    if (this.capabilities.values === 'encoded') checkEncoded('saveSnapshot', snapshot.data)
    return this.#run('saveSnapshot', () => this.#adapter.saveSnapshot(snapshot))
  }

  readSnapshot(streamId: string): MaybePromise<Snapshot | undefined> {
    this.#mustBeOpen('readSnapshot')
    checkText('readSnapshot', 'streamId', streamId, MAX_STREAM_ID_LENGTH)
    return this.#run('readSnapshot', () => this.#adapter.readSnapshot(streamId))
  }

  deleteSnapshot(streamId: string): MaybePromise<void> {
    this.#mustBeOpen('deleteSnapshot')
    checkText('deleteSnapshot', 'streamId', streamId, MAX_STREAM_ID_LENGTH)
    return this.#run('deleteSnapshot', () => this.#adapter.deleteSnapshot(streamId))
  }

  claimCheckpoint(name: string, options: ClaimOptions): MaybePromise<CheckpointClaim | undefined> {
    this.#mustBeOpen('claimCheckpoint')
    checkText('claimCheckpoint', 'name', name)
    checkObject('claimCheckpoint', 'the options', options)
    checkOptions('claimCheckpoint', options, CLAIM_OPTIONS)
    checkText('claimCheckpoint', 'owner', options.owner)
    checkWhole('claimCheckpoint', 'startAfter', options.startAfter, 0)
    return this.#run('claimCheckpoint', () => this.#adapter.claimCheckpoint(name, options))
  }

  saveCheckpoint(checkpoint: Checkpoint): MaybePromise<boolean> {
    this.#mustBeOpen('saveCheckpoint')
    checkObject('saveCheckpoint', 'the checkpoint', checkpoint)
    checkText('saveCheckpoint', 'name', checkpoint.name)
    checkWhole('saveCheckpoint', 'position', checkpoint.position, 0)
    checkWhole('saveCheckpoint', 'index', checkpoint.index, 0)
    checkWhole('saveCheckpoint', 'epoch', checkpoint.epoch, 1)
    return this.#run('saveCheckpoint', () => this.#adapter.saveCheckpoint(checkpoint))
  }

  releaseCheckpoint(name: string, epoch: number): MaybePromise<void> {
    this.#mustBeOpen('releaseCheckpoint')
    checkText('releaseCheckpoint', 'name', name)
    checkWhole('releaseCheckpoint', 'epoch', epoch, 1)
    return this.#run('releaseCheckpoint', () => this.#adapter.releaseCheckpoint(name, epoch))
  }

  readCheckpoint(name: string): MaybePromise<Checkpoint | undefined> {
    this.#mustBeOpen('readCheckpoint')
    checkText('readCheckpoint', 'name', name)
    return this.#run('readCheckpoint', () => this.#adapter.readCheckpoint(name))
  }

  deleteCheckpoint(name: string): MaybePromise<void> {
    this.#mustBeOpen('deleteCheckpoint')
    checkText('deleteCheckpoint', 'name', name)
    return this.#run('deleteCheckpoint', () => this.#adapter.deleteCheckpoint(name))
  }

  #mustBeOpen(operation: string): void {
    if (this.#opens > 0) return
    throw new NotRunningError(`${operation}: the ${this.name} event store is not open; call open() first`)
  }

  /** Calls the adapter; what it throws, at once or later, becomes an error of the catalogue. */
  #run<Answer>(
    operation: string,
    call: () => MaybePromise<Answer>,
    makesSense: (answer: Answer) => boolean = () => true,
  ): MaybePromise<Answer> {
    let answer: MaybePromise<Answer>
    try {
      answer = call()
    } catch (thrown) {
      throw this.#failure(operation, thrown, 'not-executed')
    }
    const checked = (given: Answer): Answer => {
      if (makesSense(given)) return given
      throw new StoreError(
        `the ${this.name} event store gave an answer that makes no sense when asked to ${words(operation)}`,
      )
    }
    if (!isPromiseLike(answer)) return checked(answer)
    // A promise of a library's own becomes a real one at this door.
    return Promise.resolve(answer).then(checked, (thrown: unknown) => {
      throw this.#failure(operation, thrown, 'not-executed')
    })
  }

  #failure(operation: string, thrown: unknown, outcome: Outcome): EdictError {
    if (thrown instanceof EdictError) return thrown as EdictError
    const message = `the ${this.name} event store failed to ${words(operation)}: ${describeThrown(thrown)}`
    return new StoreError(message, { cause: thrown, outcome })
  }
}

/** `readStream` as one says it: read stream. */
function words(operation: string): string {
  return operation.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function checkReading(where: string, options: ReadStreamOptions | ReadAllOptions | undefined): void {
  checkOptionalWhole(where, 'maxCount', options?.maxCount, 1)
  const direction: unknown = options?.direction
  if (direction === undefined || direction === 'forward' || direction === 'backward') return
  throw new InvalidOptionError(`${where}: direction must be 'forward' or 'backward', not ${shown(direction)}`)
}

function checkTypes(types: unknown): void {
  if (types === undefined || types instanceof Set) return
  throw new InvalidOptionError(`readAll: types must be a Set of event types, not ${shown(types)}`)
}
