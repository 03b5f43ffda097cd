import { checkedAuditQuery, type AuditPage, type AuditQuery } from '../audit/audit-query.ts'
import type { AuditEntry } from '../audit/audit-entry.ts'
import type { AuditStore } from '../audit/audit-store.ts'
import { auditTree, subtree, type AuditNode } from '../audit/audit-tree.ts'
import { AuditWriter } from '../audit/audit-writer.ts'
import { systemClock, type Clock } from '../effects/clock.ts'
import { randomIds } from '../effects/ids.ts'
import { consoleLogger, type Logger } from '../effects/logger.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { InvalidOptionError, StoreError, describeThrown, isEdictError } from '../errors.ts'
import { checkObject, checkOptions, checkOptionalWhole, checkText, shown } from '../event-store/argument-checks.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { HookMiddleware, MiddlewareHost, Pipeline } from '../routing/middleware.ts'
import { AuditRecorder } from './audit-recorder.ts'

/** Where an audit trail is kept, and what it records. */
export interface AuditTrailOptions {
  /** Where it is kept: `inMemoryAuditStore()`, `sqliteAuditStore(…)`, `postgresAuditStore(…)`, or one of your own. */
  readonly store: AuditStore
  /**
   * Writes each command down before it runs, as `begun`, and waits for that: a command that cannot be written down does not run.
   * @default false
   */
  readonly durable?: boolean
  /**
   * What is recorded of a command's data, which may hold what must not be written down: leave that out here.
   * @default nothing is recorded
   */
  readonly data?: (command: { readonly type: string; readonly data: unknown }) => unknown
  /** What is recorded of a command's metadata. @default all of it */
  readonly metadata?: (metadata: Metadata) => Metadata
  /** Milliseconds that an entry may wait for others, to be written with them. @default 100 */
  readonly writeDelay?: number
  /** How many entries may wait for a store that does not answer; then the oldest are lost, and the log says so. @default 10_000 */
  readonly bufferLimit?: number
}

/** A middleware that writes down what became of every command, and that can be asked. */
export interface AuditTrail extends HookMiddleware, AsyncDisposable {
  /**
   * Entries, the latest first unless the query says otherwise. Those of this process that are not written yet are written first.
   *
   * @throws {InvalidOptionError} `invalid_option`; StoreError `store_failed` where the store fails
   */
  find(query?: AuditQuery): Promise<AuditPage>
  /**
   * What became of a command: its latest entry; undefined where there is none.
   *
   * @throws {EdictError} as `find`
   */
  entry(commandId: string): Promise<AuditEntry | undefined>
  /**
   * What followed from a command, as a tree of commands and events; undefined where there is no such command. Or, of a correlation
   * id, all trees: mostly one.
   *
   * @example
   * const trail = auditTrail({ store: inMemoryAuditStore() })
   * const tree = await trail.tree({ commandId: 'c9f1' })
   *
   * @throws {EdictError} as `find`
   */
  tree(from: { readonly commandId: string }): Promise<AuditNode | undefined>
  tree(from: { readonly correlationId: string }): Promise<readonly AuditNode[]>
  /** Done when all that was recorded is written. Rejects where the store fails. */
  flush(): Promise<void>
  /** Writes what is left, and closes the store. An application that stops does so too; whoever asks later opens it again. */
  close(): Promise<void>
}

const OPTIONS = ['store', 'durable', 'data', 'metadata', 'writeDelay', 'bufferLimit']
const WHERE = 'auditTrail'
const PAGE = 1_000

/**
 * Writes down what becomes of every command of an application: rejected, halted and refused ones too, and those that handlers
 * dispatch. It is put in place as a middleware is; wherever it stands, it hears of all of them.
 *
 * @example
 * const trail = auditTrail({ store: inMemoryAuditStore() })
 * const audited = router('audited', (all) => all.middleware(trail).router(bankRouter))
 *
 * const { entries } = await trail.find({ outcome: 'rejected' })
 *
 * @throws {InvalidOptionError} `invalid_option`
 */
export function auditTrail(options: AuditTrailOptions): AuditTrail {
  checkObject(WHERE, 'the options', options)
  checkOptions(WHERE, options, OPTIONS)
  const { store, writeDelay = 100, bufferLimit = 10_000, durable = false, data, metadata } = options
  if (typeof (store as Partial<AuditStore> | undefined)?.write !== 'function') {
    throw new InvalidOptionError(`${WHERE}: it needs a store, such as inMemoryAuditStore()`)
  }
  checkOptionalWhole(WHERE, 'writeDelay', writeDelay, 0)
  checkOptionalWhole(WHERE, 'bufferLimit', bufferLimit, 1)
  if (typeof durable !== 'boolean') {
    throw new InvalidOptionError(`${WHERE}: durable must be true or false, not ${shown(durable)}`)
  }
  for (const [name, given] of Object.entries({ data, metadata })) {
    if (given !== undefined && typeof given !== 'function') {
      throw new InvalidOptionError(`${WHERE}: ${name} must be a function, not ${shown(given)}`)
    }
  }
  return new KeptAuditTrail({ store, writeDelay, bufferLimit, durable, data, metadata })
}

interface CheckedOptions {
  readonly store: AuditStore
  readonly writeDelay: number
  readonly bufferLimit: number
  readonly durable: boolean
  readonly data: AuditTrailOptions['data']
  readonly metadata: AuditTrailOptions['metadata']
}

class KeptAuditTrail implements AuditTrail {
  /** Only a trail that waits has anything to do in the chain; it hears of the commands by telemetry. */
  readonly beforeDispatch?: (pipeline: Pipeline) => MaybePromise<void>
  readonly #store: AuditStore
  readonly #writer: AuditWriter
  readonly #recorder: AuditRecorder
  /** The running applications, and what ends the listening to each. */
  readonly #hosts = new Map<MiddlewareHost, () => void>()
  #clock: Clock = systemClock
  #logger: Logger = consoleLogger()
  #opened: Promise<void> | undefined

  constructor({ store, durable, data, metadata, writeDelay, bufferLimit }: CheckedOptions) {
    this.#store = store
    this.#writer = new AuditWriter({
      store,
      writeDelay,
      bufferLimit,
      opened: () => this.#open(),
      clock: () => this.#clock,
      logger: () => this.#logger,
    })
    this.#recorder = new AuditRecorder({
      ids: randomIds(),
      data,
      metadata,
      logger: () => this.#logger,
      record: (entry) => {
        this.#writer.add(entry)
      },
    })
    if (durable) this.beforeDispatch = (pipeline) => this.#begin(pipeline)
  }

  async started(host: MiddlewareHost): Promise<void> {
    this.#clock = host.clock
    this.#logger = host.logger
    await this.#open()
    this.#hosts.set(host, this.#recorder.listen(host))
  }

  async stopped(host: MiddlewareHost): Promise<void> {
    this.#hosts.get(host)?.()
    this.#hosts.delete(host)
    try {
      await (this.#hosts.size === 0 ? this.close() : this.flush())
    } catch (cause) {
      if (isEdictError(cause)) throw cause
      throw new StoreError(`the audit trail could not write down its last entries: ${describeThrown(cause)}`, { cause })
    }
  }

  async #begin({ commandId }: Pipeline): Promise<void> {
    if (this.#recorder.begin(commandId)) await this.#writer.flush()
  }

  async find(query: AuditQuery = {}): Promise<AuditPage> {
    const checked = checkedAuditQuery(query)
    await this.flush()
    await this.#open()
    return this.#store.find(checked)
  }

  async entry(commandId: string): Promise<AuditEntry | undefined> {
    return (await this.find({ commandId, limit: 1 })).entries[0]
  }

  tree(from: { readonly commandId: string }): Promise<AuditNode | undefined>
  tree(from: { readonly correlationId: string }): Promise<readonly AuditNode[]>
  async tree(from: {
    readonly commandId?: string
    readonly correlationId?: string
  }): Promise<AuditNode | undefined | readonly AuditNode[]> {
    checkOptions('tree', from, ['commandId', 'correlationId'])
    const { commandId, correlationId } = from
    if (commandId === undefined) {
      checkText('tree', 'correlationId', correlationId)
      // It was just checked to be text.
      return auditTree(await this.#all(correlationId as string))
    }
    const entry = await this.entry(commandId)
    if (entry?.correlationId === undefined) return undefined
    return subtree(auditTree(await this.#all(entry.correlationId)), commandId)
  }

  async #all(correlationId: string): Promise<readonly AuditEntry[]> {
    const entries: AuditEntry[] = []
    let after: number | undefined
    do {
      const query: AuditQuery = {
        correlationId,
        direction: 'forward',
        limit: PAGE,
        ...(after !== undefined && { after }),
      }
      const page = await this.find(query)
      entries.push(...page.entries)
      after = page.next
    } while (after !== undefined)
    return entries
  }

  flush(): Promise<void> {
    return this.#writer.flush()
  }

  async close(): Promise<void> {
    await this.flush()
    const opened = this.#opened
    this.#opened = undefined
    if (opened === undefined) return
    await opened
    await this.#store.close()
  }

  #open(): Promise<void> {
    this.#opened ??= Promise.resolve()
      .then(() => this.#store.open())
      .catch((error: unknown) => {
        this.#opened = undefined
        throw error
      })
    return this.#opened
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
