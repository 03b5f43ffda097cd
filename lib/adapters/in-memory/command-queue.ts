import { EventEmitter } from 'eventemitter3'
import type { Clock } from '../../effects/clock.ts'
import type {
  ClaimCommandsOptions,
  ClaimedCommands,
  CommandCount,
  CommandQueueStore,
  CommandState,
  EnqueueResult,
  GroupClaim,
  GroupHold,
  Lane,
  ListCommandsOptions,
  NewQueuedCommand,
  QueuedCommand,
  Settlement,
} from '../../event-store/command-queue-store.ts'
import { CommandGroup, type QueueEntry } from './command-group.ts'
import { CommandSchedule } from './command-schedule.ts'
import { CAME_TO_NOTHING, countsOf, isWanted, keyOf, OVER, shown } from './command-view.ts'
import { detached } from './rows.ts'

/** The commands of a store in memory. */
export class InMemoryCommandQueue implements CommandQueueStore {
  readonly #clock: Pick<Clock, 'now'>
  /** By id, in the order of positions: what is stored anew is deleted first. */
  readonly #entries = new Map<string, QueueEntry>()
  readonly #byKey = new Map<string, QueueEntry>()
  readonly #groups = new Map<string, CommandGroup>()
  readonly #held = new Set<CommandGroup>()
  readonly #schedule = new CommandSchedule()
  readonly #watchers = new EventEmitter<{ changed: [] }>()
  #telling = false
  #lastPosition = 0
  #lastEpoch = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Forgets all of them; positions and epochs go on. */
  empty(): void {
    for (const kept of [this.#entries, this.#byKey, this.#groups, this.#held]) kept.clear()
    this.#schedule.empty()
  }

  /** When the store closes its owners are gone, whether they settled their commands or not. */
  close(): void {
    this.#watchers.removeAllListeners()
    for (const group of this.#held) group.until = -Infinity
  }

  enqueue(commands: readonly NewQueuedCommand[]): readonly EnqueueResult[] {
    this.#expire()
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
    this.#schedule.mayExpire(entry)
    this.#entries.set(command.commandId, entry)
    const key = keyOf(command)
    if (key !== undefined) this.#byKey.set(key, entry)
    this.#placed(entry)
    this.#tell()
    return { status: 'enqueued', position: entry.command.position, commandId: command.commandId }
  }

  #groupOf({ streamId, lane }: QueuedCommand): CommandGroup {
    const name = nameOf(streamId, lane)
    const found = this.#groups.get(name)
    if (found !== undefined) return found
    const group = new CommandGroup(streamId, lane)
    this.#groups.set(name, group)
    return group
  }

  #forget(entry: QueueEntry): void {
    // Out of its group first, as what is over is.
    this.#change(entry, { state: 'discarded' })
    this.#entries.delete(entry.command.commandId)
    const key = keyOf(entry.command)
    if (key !== undefined) this.#byKey.delete(key)
  }

  #change(entry: QueueEntry, changes: Partial<QueuedCommand>, changedAt = this.#clock.now()): void {
    entry.command = Object.freeze({ ...entry.command, ...changes, changedAt })
    this.#placed(entry)
  }

  /** Keeps what is known of its group in line with what became of a command. */
  #placed(entry: QueueEntry): void {
    const { command } = entry
    if (command.byCaller) return
    const group = this.#groupOf(command)
    if (command.state === 'delayed') this.#schedule.wait(entry)
    group.place(entry)
    if (group.owner !== undefined && group.running().length === 0) this.#release(group)
    if (group.owner === undefined) this.#schedule.offer(group)
    if (group.isEmpty) this.#groups.delete(nameOf(group.streamId, group.lane))
  }

  #release(group: CommandGroup): void {
    group.owner = undefined
    this.#held.delete(group)
  }

  claim({ owner, groups, commandsOfEach, lease }: ClaimCommandsOptions): ClaimedCommands {
    const now = this.#expire()
    this.#promote(now)
    for (const group of this.#held) if (group.until <= now) this.#abandoned(group)
    const claims: GroupClaim[] = []
    let next = this.#schedule.nextGroup(now)
    while (next !== undefined && claims.length < groups) {
      claims.push(this.#take(next, owner, commandsOfEach, now + lease))
      next = this.#schedule.nextGroup(now)
    }
    // It was looked at only: it is offered still.
    if (next !== undefined) this.#schedule.offer(next)
    return { claims, nextIn: next === undefined ? this.#nextIn(owner, now) : 0 }
  }

  /** What its owner has left can be taken over, unless it has to wait for a strict command. */
  #abandoned(group: CommandGroup): void {
    if (!group.runsBehindBlocker()) this.#schedule.offer(group)
    else for (const entry of group.running()) this.#goBack(entry)
  }

  /** Its owner may have begun it all the same, before it could say that those before it were done. */
  #goBack(entry: QueueEntry): void {
    entry.expiresAt = undefined
    this.#change(entry, { state: 'queued' })
  }

  /** What was never begun, and is not to be begun any more. @returns what time it is */
  #expire(): number {
    const now = this.#clock.now()
    for (let late = this.#schedule.nextExpired(now); late !== undefined; late = this.#schedule.nextExpired(now)) {
      const changedAt = Math.max(late.command.enqueuedAt, late.expiresAt ?? now)
      this.#change(late, { state: 'expired' }, changedAt)
      this.#tell()
    }
    return now
  }

  #promote(now: number): void {
    for (let due = this.#schedule.nextDue(now); due !== undefined; due = this.#schedule.nextDue(now)) {
      this.#change(due, { state: 'queued' })
    }
  }

  #take(group: CommandGroup, owner: string, commandsOfEach: number, until: number): GroupClaim {
    const entries = group.owner === undefined ? group.due(commandsOfEach) : this.#takeOver(group)
    for (const entry of entries) this.#run(entry)
    group.owner = owner
    group.epoch = ++this.#lastEpoch
    group.until = until
    this.#held.add(group)
    return { streamId: group.streamId, lane: group.lane, epoch: group.epoch, commands: entries.map(shown) }
  }

  #run(entry: QueueEntry): void {
    entry.command = Object.freeze({ ...entry.command, state: 'running', changedAt: this.#clock.now() })
  }

  /** Of what its former owner had, the first may have been its end. */
  #takeOver(group: CommandGroup): QueueEntry[] {
    const [first, ...others] = group.running() as [QueueEntry, ...QueueEntry[]]
    for (const other of others) this.#goBack(other)
    first.expiresAt = undefined
    first.command = { ...first.command, attempts: first.command.attempts + 1 }
    return [first]
  }

  #nextIn(owner: string, now: number): number | undefined {
    let next = this.#schedule.nextDueAt
    for (const group of this.#held) if (group.owner !== owner) next = Math.min(next, group.until)
    return next === Infinity ? undefined : next - now
  }

  renew(owner: string, lease: number): readonly GroupHold[] {
    const holds: GroupHold[] = []
    for (const group of this.#held) {
      if (group.owner !== owner) continue
      group.until = this.#clock.now() + lease
      holds.push({ streamId: group.streamId, lane: group.lane, epoch: group.epoch })
    }
    return holds
  }

  settle(settlements: readonly Settlement[]): readonly boolean[] {
    return settlements.map((settlement) => this.#settle(settlement))
  }

  #settle(settlement: Settlement): boolean {
    const entry = this.#entries.get(settlement.commandId)
    if (entry?.command.state !== 'running' || !this.#mayEnd(entry.command, settlement.hold)) return false
    const { state } = settlement
    const { attempts } = entry.command
    if (state === 'queued') {
      this.#change(entry, { state })
      this.#schedule.mayExpire(entry)
    } else if (state === 'completed') this.#change(entry, { state, result: settlement.result })
    else if (state === 'expired') this.#change(entry, { state, failure: settlement.failure })
    else if (state === 'delayed') {
      const { failure, delay } = settlement
      entry.expiresAt = undefined
      this.#change(entry, { state, failure, attempts: attempts + 1, dueAt: this.#clock.now() + delay })
    } else {
      const { failure, failed } = settlement
      this.#change(entry, { state, failure, attempts: failed ? attempts + 1 : attempts })
    }
    this.#tell()
    return true
  }

  #mayEnd({ byCaller, streamId, lane }: QueuedCommand, hold: GroupHold | undefined): boolean {
    if (hold === undefined || byCaller) return hold === undefined && byCaller
    if (hold.streamId !== streamId || hold.lane !== lane) return false
    return this.#groups.get(nameOf(streamId, lane))?.epoch === hold.epoch
  }

  read(commandIds: readonly string[]): readonly QueuedCommand[] {
    this.#expire()
    return [...new Set(commandIds)].flatMap((commandId) => {
      const entry = this.#entries.get(commandId)
      return entry === undefined ? [] : [shown(entry)]
    })
  }

  list(options: ListCommandsOptions = {}): readonly QueuedCommand[] {
    this.#expire()
    const found: QueuedCommand[] = []
    for (const entry of this.#entries.values()) {
      if (found.length === options.limit) break
      if (isWanted(entry.command, options)) found.push(shown(entry))
    }
    return found
  }

  count(states?: readonly CommandState[]): readonly CommandCount[] {
    this.#expire()
    return countsOf(this.#entries.values(), states)
  }

  cancel(commandIds: readonly string[]): readonly boolean[] {
    this.#expire()
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
      this.#change(entry, changes)
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

function nameOf(streamId: string, lane: Lane): string {
  return `${lane}${streamId}`
}

/** Whether the one that it takes the place of, under its id, was begun, and somebody has to look what came of that. */
function mayHaveBegun({ commandId }: Pick<QueuedCommand, 'commandId'>, before: QueuedCommand | undefined): boolean {
  return before?.commandId === commandId && (before.state === 'dead' || before.state === 'discarded')
}
