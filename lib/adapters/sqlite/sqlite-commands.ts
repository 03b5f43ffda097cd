import type { MaybePromise } from '../../effects/maybe-promise.ts'
import type {
  ClaimCommandsOptions,
  ClaimedCommands,
  CommandCount,
  CommandQueueStore,
  CommandState,
  EnqueueResult,
  GroupHold,
  ListCommandsOptions,
  NewQueuedCommand,
  QueuedCommand,
  Settlement,
} from '../../event-store/command-queue-store.ts'
import type { CommandChange } from './command-queue.ts'
import type { CommandReader } from './command-reader.ts'
import type { OpenStore } from './open-store.ts'

/** The commands of a SQLite store: what is written takes the lane of all writes, and shares its commits. */
export class SqliteCommands implements CommandQueueStore {
  readonly #opened: () => OpenStore
  readonly #read: <Answer>(read: (store: OpenStore) => Answer) => Answer

  constructor(opened: () => OpenStore, read: <Answer>(read: (store: OpenStore) => Answer) => Answer) {
    this.#opened = opened
    this.#read = read
  }

  enqueue(commands: readonly NewQueuedCommand[]): Promise<readonly EnqueueResult[]> {
    const store = this.#opened()
    return store.writeCommands(commands.length, (queue) => queue.enqueue(commands))
  }

  /** One who comes too early writes nothing, and keeps nobody from writing. */
  claim(options: ClaimCommandsOptions): MaybePromise<ClaimedCommands> {
    const idle = this.#look((reader) => reader.idleFor(options.owner))
    if (idle !== undefined) return { claims: [], ...idle }
    return this.#claim(options)
  }

  async #claim(options: ClaimCommandsOptions): Promise<ClaimedCommands> {
    const store = this.#opened()
    let claimed: ClaimedCommands | undefined
    do claimed = await store.write(() => store.commandClaims.claim(options), options.groups)
    while (claimed === undefined)
    return claimed
  }

  renew(owner: string, lease: number): Promise<readonly GroupHold[]> {
    const store = this.#opened()
    return store.write(() => store.commandClaims.renew(owner, lease))
  }

  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    const store = this.#opened()
    return store.writeCommands(settlements.length, (queue) => queue.settle(settlements))
  }

  read(commandIds: readonly string[]): readonly QueuedCommand[] {
    return this.#look((reader) => reader.read(commandIds))
  }

  list(options: ListCommandsOptions = {}): readonly QueuedCommand[] {
    return this.#look((reader) => reader.list(options))
  }

  count(states?: readonly CommandState[]): readonly CommandCount[] {
    return this.#look((reader) => reader.count(states))
  }

  cancel(commandIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#change('cancel', commandIds)
  }

  replay(commandIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#change('replay', commandIds)
  }

  discard(commandIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#change('discard', commandIds)
  }

  #change(change: CommandChange, commandIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#opened().writeCommands(commandIds.length, (queue) => queue.change(change, commandIds))
  }

  purge(olderThan: number, limit: number): Promise<number> {
    const store = this.#opened()
    return store.write(() => store.commandQueue.purge(olderThan, limit), limit)
  }

  now(): number {
    return Date.now()
  }

  watch(listener: () => void): () => void {
    return this.#read((store) => store.watchers.addOfCommands(listener))
  }

  #look<Answer>(read: (reader: CommandReader) => Answer): Answer {
    return this.#read((store) => read(store.commandReader))
  }
}
