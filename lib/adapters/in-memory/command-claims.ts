import type { Clock } from '../../effects/clock.ts'
import type {
  ClaimCommandsOptions,
  ClaimedCommands,
  GroupClaim,
  GroupHold,
  Lane,
  QueuedCommand,
} from '../../event-store/command-queue-store.ts'
import { CommandGroup, type QueueEntry } from './command-group.ts'
import { CommandSchedule } from './command-schedule.ts'
import { shown } from './command-view.ts'

/** Which of the commands in memory are due, and who holds them. */
export class CommandClaims {
  readonly #clock: Pick<Clock, 'now'>
  readonly #expired: () => void
  readonly #groups = new Map<string, CommandGroup>()
  readonly #held = new Set<CommandGroup>()
  readonly #schedule = new CommandSchedule()
  #lastEpoch = 0

  /** `expired` is told of each command that nobody has begun in its time. */
  constructor(clock: Pick<Clock, 'now'>, expired: () => void) {
    this.#clock = clock
    this.#expired = expired
  }

  /** Forgets all of them; epochs go on. */
  empty(): void {
    this.#groups.clear()
    this.#held.clear()
    this.#schedule.empty()
  }

  /** Whoever holds any is gone. */
  abandonAll(): void {
    for (const group of this.#held) group.until = -Infinity
  }

  /** A command that has a deadline is over by then where nobody begins it. */
  mayExpire(entry: QueueEntry): void {
    this.#schedule.mayExpire(entry)
  }

  /** Something becomes of a command, and it may be due then, or over. */
  change(entry: QueueEntry, changes: Partial<QueuedCommand>, changedAt = this.#clock.now()): void {
    entry.command = Object.freeze({ ...entry.command, ...changes, changedAt })
    this.place(entry)
  }

  /** Keeps what is known of its group in line with what became of a command. */
  place(entry: QueueEntry): void {
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

  #groupOf({ streamId, lane }: QueuedCommand): CommandGroup {
    const name = nameOf(streamId, lane)
    const found = this.#groups.get(name)
    if (found !== undefined) return found
    const group = new CommandGroup(streamId, lane)
    this.#groups.set(name, group)
    return group
  }

  claim({ owner, groups, commandsOfEach, lease }: ClaimCommandsOptions): ClaimedCommands {
    const now = this.expire()
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
    this.change(entry, { state: 'queued' })
  }

  /** What was never begun, and is not to be begun any more. @returns what time it is */
  expire(): number {
    const now = this.#clock.now()
    for (let late = this.#schedule.nextExpired(now); late !== undefined; late = this.#schedule.nextExpired(now)) {
      const changedAt = Math.max(late.command.enqueuedAt, late.expiresAt ?? now)
      this.change(late, { state: 'expired' }, changedAt)
      this.#expired()
    }
    return now
  }

  #promote(now: number): void {
    for (let due = this.#schedule.nextDue(now); due !== undefined; due = this.#schedule.nextDue(now)) {
      this.change(due, { state: 'queued' })
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
    // A group has an owner only while something of it is being run.
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

  /** Whether a command that runs may be ended by whoever has this hold, or none. */
  mayEnd({ byCaller, streamId, lane }: QueuedCommand, hold: GroupHold | undefined): boolean {
    if (hold === undefined || byCaller) return hold === undefined && byCaller
    if (hold.streamId !== streamId || hold.lane !== lane) return false
    return this.#groups.get(nameOf(streamId, lane))?.epoch === hold.epoch
  }
}

function nameOf(streamId: string, lane: Lane): string {
  return `${lane}${streamId}`
}
