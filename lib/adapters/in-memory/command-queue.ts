import { EventEmitter } from 'eventemitter3'
import type { Clock } from '../../effects/clock.ts'
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
import { CAME_TO_NOTHING } from '../../event-store/command-states.ts'
import { CommandClaims } from './command-claims.ts'
import type { QueueEntry } from './command-group.ts'
import { countsOf, isWanted, keyOf, OVER, shown } from './command-view.ts'
import { detached } from './rows.ts'

/** The commands of a store in memory: what is stored of them, and what becomes of it. Who runs them is the business of its claims. */
export class InMemoryCommandQueue implements CommandQueueStore {
  readonly #clock: Pick<Clock, 'now'>
  /** By id, in the order of positions: what is stored anew is deleted first. */
  readonly #entries = new Map<string, QueueEntry>()
  readonly #byKey = new Map<string, QueueEntry>()
  readonly #claims: CommandClaims
  readonly #watchers = new EventEmitter<{ changed: [] }>()
  #telling = false
  #lastPosition = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
    this.#claims = new CommandClaims(clock, () => {
      this.#tell()
    })
  }

  /** Forgets all of them; positions and epochs go on. */
  empty(): void {
    this.#entries.clear()
    this.#byKey.clear()
    this.#claims.empty()
  }

  /** When the store closes its owners are gone, whether they settled their commands or not. */
  close(): void {
    this.#watchers.removeAllListeners()
    this.#claims.abandonAll()
  }

  enqueue(commands: readonly NewQueuedCommand[]): readonly EnqueueResult[] {
    this.#claims.expire()
    return commands.map((command) => this.#enqueue(command))
  }

  #enqueue(command: NewQueuedCommand): EnqueueResult {
    const known = this.#entries.get(command.commandId) ?? this.#byKey.get(keyOf(command) ?? '')
    if (known !== undefined) {
      if (known.command.fingerprint !== command.fingerprint) return { status: 'duplicate', command: shown(known) }
      if (!CAME_TO_NOTHING.has(known.command.state)) return { status: 'known', command: shown(known) }
      // The one of its id may make way while another one has its key.
      const rival = this.#rivalOf(command, known)
      if (rival !== undefined) return rival
    }
    const before = known?.command
    if (known !== undefined) this.#forget(known)
    return this.#add(command, before)
  }

  #rivalOf(command: NewQueuedCommand, known: QueueEntry): EnqueueResult | undefined {
    const rival = this.#byKey.get(keyOf(command) ?? '')
    if (rival === undefined || rival === known) return undefined
    const same = rival.command.fingerprint === command.fingerprint
    if (same && CAME_TO_NOTHING.has(rival.command.state)) {
      this.#forget(rival)
      return undefined
    }
    return { status: same ? 'known' : 'duplicate', command: shown(rival) }
  }

  #add({ notBefore, delay, ...command }: NewQueuedCommand, before: QueuedCommand | undefined): EnqueueResult {
    const now = this.#clock.now()
    const dueAt = Math.max(now, notBefore ?? now + (delay ?? 0))
    const entry: QueueEntry = {
      command: Object.freeze({
        ...command,
        data: detached(command.data, command.contentType),
        position: ++this.#lastPosition,
        state: command.byCaller ? 'running' : dueAt > now ? 'delayed' : 'queued',
        dueAt,
        attempts: 0,
        failure: undefined,
        result: undefined,
        enqueuedAt: now,
        changedAt: now,
      }),
      expiresAt: command.byCaller || mayHaveBegun(command, before) ? undefined : command.deadline,
    }
    this.#claims.mayExpire(entry)
    this.#entries.set(command.commandId, entry)
    const key = keyOf(command)
    if (key !== undefined) this.#byKey.set(key, entry)
    this.#claims.place(entry)
    this.#tell()
    return { status: 'enqueued', position: entry.command.position, commandId: command.commandId }
  }

  #forget(entry: QueueEntry): void {
    // Out of its group first, as what is over is.
    this.#claims.change(entry, { state: 'discarded' })
    this.#entries.delete(entry.command.commandId)
    const key = keyOf(entry.command)
    if (key !== undefined) this.#byKey.delete(key)
  }

  claim(options: ClaimCommandsOptions): ClaimedCommands {
    return this.#claims.claim(options)
  }

  renew(owner: string, lease: number): readonly GroupHold[] {
    return this.#claims.renew(owner, lease)
  }

  settle(settlements: readonly Settlement[]): readonly boolean[] {
    return settlements.map((settlement) => this.#settle(settlement))
  }

  #settle(settlement: Settlement): boolean {
    const entry = this.#entries.get(settlement.commandId)
    if (entry?.command.state !== 'running' || !this.#claims.mayEnd(entry.command, settlement.hold)) return false
    const { state } = settlement
    const { attempts } = entry.command
    if (state === 'queued') {
      this.#claims.change(entry, { state })
      this.#claims.mayExpire(entry)
    } else if (state === 'completed') this.#claims.change(entry, { state, result: settlement.result })
    else if (state === 'expired') this.#claims.change(entry, { state, failure: settlement.failure })
    else if (state === 'delayed') {
      const { failure, delay } = settlement
      entry.expiresAt = undefined
      this.#claims.change(entry, { state, failure, attempts: attempts + 1, dueAt: this.#clock.now() + delay })
    } else {
      const { failure, failed } = settlement
      this.#claims.change(entry, { state, failure, attempts: failed ? attempts + 1 : attempts })
    }
    this.#tell()
    return true
  }

  read(commandIds: readonly string[]): readonly QueuedCommand[] {
    this.#claims.expire()
    return [...new Set(commandIds)].flatMap((commandId) => {
      const entry = this.#entries.get(commandId)
      return entry === undefined ? [] : [shown(entry)]
    })
  }

  list(options: ListCommandsOptions = {}): readonly QueuedCommand[] {
    this.#claims.expire()
    const found: QueuedCommand[] = []
    for (const entry of this.#entries.values()) {
      if (found.length === options.limit) break
      if (isWanted(entry.command, options)) found.push(shown(entry))
    }
    return found
  }

  count(states?: readonly CommandState[]): readonly CommandCount[] {
    this.#claims.expire()
    return countsOf(this.#entries.values(), states)
  }

  cancel(commandIds: readonly string[]): readonly boolean[] {
    this.#claims.expire()
    return this.#changeEach(commandIds, ['delayed', 'queued'], { state: 'cancelled' })
  }

  replay(commandIds: readonly string[]): readonly boolean[] {
    const dueAt = this.#clock.now()
    return this.#changeEach(commandIds, ['dead'], { state: 'queued', attempts: 0, dueAt, byCaller: false })
  }

  discard(commandIds: readonly string[]): readonly boolean[] {
    return this.#changeEach(commandIds, ['dead'], { state: 'discarded' })
  }

  #changeEach(
    commandIds: readonly string[],
    from: readonly CommandState[],
    changes: Partial<QueuedCommand>,
  ): boolean[] {
    return commandIds.map((commandId) => {
      const entry = this.#entries.get(commandId)
      if (entry === undefined || !from.includes(entry.command.state)) return false
      // Of a dead letter nobody can say that it was never begun.
      if (entry.command.state === 'dead') entry.expiresAt = undefined
      this.#claims.change(entry, changes)
      this.#tell()
      return true
    })
  }

  purge(olderThan: number, limit: number): number {
    const before = this.#clock.now() - olderThan
    let purged = 0
    for (const entry of this.#entries.values()) {
      if (purged === limit) break
      if (!OVER.has(entry.command.state) || entry.command.changedAt > before) continue
      this.#forget(entry)
      purged++
    }
    return purged
  }

  now(): number {
    return this.#clock.now()
  }

  watch(listener: () => void): () => void {
    this.#watchers.on('changed', listener)
    return () => {
      this.#watchers.off('changed', listener)
    }
  }

  /** Once for all that happens in one turn, and not within the call of the one who writes. */
  #tell(): void {
    if (this.#telling || this.#watchers.listenerCount('changed') === 0) return
    this.#telling = true
    queueMicrotask(() => {
      this.#telling = false
      this.#watchers.emit('changed')
    })
  }
}

/** Whether the one that it takes the place of, under its id, was begun, and somebody has to look what came of that. */
function mayHaveBegun({ commandId }: Pick<QueuedCommand, 'commandId'>, before: QueuedCommand | undefined): boolean {
  return before?.commandId === commandId && (before.state === 'dead' || before.state === 'discarded')
}
