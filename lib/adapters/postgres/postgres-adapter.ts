import type { ClientBase } from 'pg'
import { NotRunningError } from '../../errors.ts'
import type { Checkpoint, CheckpointHold, CheckpointState, ClaimOptions } from '../../event-store/checkpoint.ts'
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
} from '../../event-store/event-store.ts'
import type { Snapshot, SnapshotWriteOptions } from '../../event-store/snapshot.ts'
import type { StoreDiagnosis } from '../../event-store/store-diagnosis.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import type { StreamChangeOptions, StreamChangeResult, StreamInfo } from '../../event-store/stream-info.ts'
import type { Metadata } from '../../messages/recorded-event.ts'
import { appendCall } from './append-batch.ts'
import { AppenderIn, type AppendInOptions } from './append-in.ts'
import { Appender } from './appender.ts'
import { Checkpoints } from './checkpoints.ts'
import { closeCommandQueue, openCommandQueue, PostgresCommandQueue, type OpenCommandQueue } from './command-queue.ts'
import { Database, type Queries } from './database.ts'
import { diagnosis } from './diagnosis.ts'
import { EventReader } from './event-reader.ts'
import { isConnectionLost, storeFailure } from './failure.ts'
import { checkSchema, isOutdated, migrate, migrationSql } from './migrations.ts'
import type { CheckedOptions } from './options.ts'
import { PostgresProjections } from './projections.ts'
import { checkServer } from './server-checks.ts'
import { Snapshots } from './snapshots.ts'
import { StreamReads } from './stream-reads.ts'
import { StreamChanges, type StreamChange } from './stream-changes.ts'
import { WakeUps } from './wake-ups.ts'

interface Opened {
  readonly database: Database
  readonly appender: Appender
  readonly reads: StreamReads
  readonly wakeUps: WakeUps
  readonly commands: OpenCommandQueue
}

export class PostgresAdapter implements EventStore {
  readonly name = 'postgres'
  readonly capabilities: EventStoreCapabilities = Object.freeze({
    atomicStreams: true,
    durable: true,
    multiProcess: true,
    projections: true,
    commands: true,
    values: 'encoded',
  })
  readonly projections: PostgresProjections
  readonly commands: PostgresCommandQueue

  readonly #options: CheckedOptions
  readonly #reader: EventReader
  readonly #checkpoints: Checkpoints
  readonly #snapshots: Snapshots
  readonly #streamChanges: StreamChanges
  readonly #appenderIn: AppenderIn
  #opened: Opened | undefined

  constructor(options: CheckedOptions) {
    const { schema } = options
    this.#options = options
    this.#reader = new EventReader(schema)
    this.#checkpoints = new Checkpoints(schema)
    this.#snapshots = new Snapshots(schema)
    this.#streamChanges = new StreamChanges(schema)
    this.#appenderIn = new AppenderIn(this.#reader, schema, this.capabilities)
    this.projections = new PostgresProjections(() => this.#database, this.#checkpoints, schema)
    this.commands = new PostgresCommandQueue(() => this.#open.commands, schema)
  }

  get isOpen(): boolean {
    return this.#opened !== undefined
  }

  get #open(): Opened {
    if (this.#opened !== undefined) return this.#opened
    throw new NotRunningError('the postgres event store is not open; call open() first')
  }

  get #database(): Database {
    return this.#open.database
  }

  async open(): Promise<void> {
    const { schema } = this.#options
    const database = await Database.connect(this.#options)
    try {
      await checkServer(database)
      if (!this.#options.migrate) await checkSchema(database, schema)
      else if (await isOutdated(database, schema)) await migrate(database, schema)
    } catch (thrown) {
      await database.close()
      throw storeFailure('open', thrown)
    }
    const wakeUps = new WakeUps(database, this.#options.listener, schema)
    const appender = new Appender(database, this.#reader, schema, (headPosition) => wakeUps.appended(headPosition))
    const commands = openCommandQueue(database, schema, wakeUps)
    this.#opened = { database, appender, reads: new StreamReads(database, this.#reader), wakeUps, commands }
  }

  async close(): Promise<void> {
    const { database, appender, reads, wakeUps, commands } = this.#open
    this.#opened = undefined
    reads.flush()
    await Promise.all([appender.close(), closeCommandQueue(commands)])
    await wakeUps.close()
    await database.close()
  }

  async migrate(): Promise<void> {
    const database = await Database.connect(this.#options)
    try {
      await checkServer(database)
      await migrate(database, this.#options.schema)
    } catch (thrown) {
      throw storeFailure('migrate', thrown)
    } finally {
      await database.close()
    }
  }

  migrationSql(): Promise<string> {
    return migrationSql(this.#options.schema)
  }

  append(streams: readonly StreamAppend[], options?: AppendOptions): Promise<readonly StreamAppendResult[]> {
    return this.#open.appender.append(appendCall(streams, options))
  }

  appendIn(
    client: ClientBase,
    streams: readonly StreamAppend[],
    options: AppendInOptions | undefined,
  ): Promise<readonly StreamAppendResult[]> {
    return this.#appenderIn.append(client, streams, options)
  }

  readStream(streamId: string, options?: ReadStreamOptions): Promise<StreamSlice> {
    return this.#told('read stream', this.#open.reads.read(streamId, options))
  }

  readAll(options?: ReadAllOptions): Promise<AllSlice> {
    return this.#read('read all', (queries) => this.#reader.readAll(queries, options))
  }

  readCommand(streamId: string, commandId: string): Promise<readonly StoredEvent[]> {
    return this.#read('read command', (queries) => this.#reader.readCommand(queries, streamId, commandId))
  }

  headPosition(): Promise<number> {
    return this.#read('read the head position', (queries) => this.#reader.head(queries))
  }

  readStreamInfo(streamId: string): Promise<StreamInfo | undefined> {
    return this.#read('read a stream', (queries) => this.#streamChanges.read(queries, streamId))
  }

  writeStreamMetadata(
    streamId: string,
    metadata: Metadata,
    options: StreamChangeOptions = {},
  ): Promise<StreamChangeResult> {
    return this.#change(streamId, { kind: 'describe', metadata, ...options })
  }

  archiveStream(streamId: string, options: StreamChangeOptions = {}): Promise<StreamChangeResult> {
    return this.#change(streamId, { kind: 'archive', ...options })
  }

  restoreStream(streamId: string, options: StreamChangeOptions = {}): Promise<StreamChangeResult> {
    return this.#change(streamId, { kind: 'restore', ...options })
  }

  deleteStream(streamId: string, options: StreamChangeOptions = {}): Promise<StreamChangeResult> {
    return this.#change(streamId, { kind: 'delete', ...options })
  }

  #change(streamId: string, change: StreamChange): Promise<StreamChangeResult> {
    return this.#write(`${change.kind} a stream`, (queries) => this.#streamChanges.change(queries, streamId, change))
  }

  watch(listener: (headPosition?: number) => void): () => void {
    return this.#open.wakeUps.watch(listener)
  }

  saveSnapshot(snapshot: Snapshot, { hold }: SnapshotWriteOptions = {}): Promise<boolean> {
    return this.#write('save a snapshot', (queries) => this.#snapshots.save(queries, snapshot, hold))
  }

  readSnapshot(streamId: string): Promise<Snapshot | undefined> {
    return this.#read('read a snapshot', (queries) => this.#snapshots.read(queries, streamId))
  }

  deleteSnapshot(streamId: string, { hold }: SnapshotWriteOptions = {}): Promise<boolean> {
    return this.#write('delete a snapshot', (queries) => this.#snapshots.delete(queries, streamId, hold))
  }

  claimCheckpoint(name: string, options: Required<ClaimOptions>): Promise<Checkpoint | undefined> {
    return this.#write('claim a checkpoint', (queries) => this.#checkpoints.claim(queries, name, options))
  }

  renewCheckpoints(holds: readonly CheckpointHold[]): Promise<readonly boolean[]> {
    return this.#write('renew checkpoints', (queries) => this.#checkpoints.renew(queries, holds))
  }

  saveCheckpoint(checkpoint: Checkpoint): Promise<boolean> {
    return this.#write('save a checkpoint', (queries) => this.#checkpoints.save(queries, checkpoint))
  }

  releaseCheckpoint(name: string, epoch: number): Promise<void> {
    return this.#write('release a checkpoint', (queries) => this.#checkpoints.release(queries, name, epoch))
  }

  readCheckpoint(name: string): Promise<Checkpoint | undefined> {
    return this.#read('read a checkpoint', (queries) => this.#checkpoints.read(queries, name))
  }

  deleteCheckpoint(name: string): Promise<void> {
    return this.#write('delete a checkpoint', (queries) => this.#checkpoints.delete(queries, name))
  }

  listCheckpoints(prefix = ''): Promise<readonly CheckpointState[]> {
    return this.#read('list checkpoints', (queries) => this.#checkpoints.list(queries, prefix))
  }

  diagnose(): Promise<StoreDiagnosis> {
    return this.#read('diagnose', (queries) => diagnosis(queries, this.#options.schema))
  }

  /** What only reads may be done again on another connection. */
  #read<Answer>(operation: string, work: (queries: Queries) => Promise<Answer>): Promise<Answer> {
    const { database } = this.#open
    return this.#told(operation, work({ query: (text, values) => database.read(text, values) }))
  }

  async #told<Answer>(operation: string, answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer
    } catch (thrown) {
      throw storeFailure(operation, thrown)
    }
  }

  async #write<Answer>(operation: string, work: (queries: Queries) => Promise<Answer>): Promise<Answer> {
    try {
      return await work(this.#open.database)
    } catch (thrown) {
      throw storeFailure(operation, thrown, isConnectionLost(thrown) ? 'unknown' : 'not-executed')
    }
  }
}
