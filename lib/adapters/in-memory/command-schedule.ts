import type { Lane } from '../../event-store/command-queue-store.ts'
import type { CommandGroup, QueueEntry } from './command-group.ts'
import { Heap } from './heap.ts'

const LANES: readonly Lane[] = [0, 1, 2]

interface Offer {
  readonly group: CommandGroup
  readonly position: number
}

interface Waiting {
  readonly entry: QueueEntry
  readonly dueAt: number
}

interface Expiring {
  readonly entry: QueueEntry
  readonly at: number
}

/** Whose turn is next: which groups have something to be claimed, and which commands become due when. */
export class CommandSchedule {
  /** By lane. An offer that was overtaken by what happened since is passed over when its turn comes. */
  readonly #offers = LANES.map(() => new Heap<Offer>(({ position }) => position))
  readonly #waiting = new Heap<Waiting>(({ dueAt }) => dueAt)
  /** By deadline. */
  readonly #expiring = new Heap<Expiring>(({ at }) => at)

  empty(): void {
    for (const heap of [...this.#offers, this.#waiting, this.#expiring]) while (heap.pop() !== undefined);
  }

  offer(group: CommandGroup): void {
    const position = group.nextPosition()
    if (position === undefined || group.offered === position) return
    group.offered = position
    this.#offers[group.lane]?.push({ group, position })
  }

  /** The lowest lane first, and in it the group whose next command is the oldest. It is offered no more. */
  nextGroup(now: number): CommandGroup | undefined {
    for (const offers of this.#offers) {
      for (let offer = offers.pop(); offer !== undefined; offer = offers.pop()) {
        const { group, position } = offer
        if (group.offered !== position) continue
        group.offered = undefined
        if (group.owner !== undefined && group.until > now) continue
        if (group.nextPosition() === position) return group
        this.offer(group)
      }
    }
    return undefined
  }

  wait(entry: QueueEntry): void {
    this.#waiting.push({ entry, dueAt: entry.command.dueAt })
  }

  /** The next one that has become due by now. It waits no more. */
  nextDue(now: number): QueueEntry | undefined {
    if (this.nextDueAt > now) return undefined
    return this.#waiting.pop()?.entry
  }

  /** Nothing to do for one that has no deadline, or was begun. */
  mayExpire(entry: QueueEntry): void {
    if (entry.expiresAt !== undefined) this.#expiring.push({ entry, at: entry.expiresAt })
  }

  /** The next one whose deadline has passed by now while nobody had begun it. */
  nextExpired(now: number): QueueEntry | undefined {
    for (let next = this.#expiring.first; next !== undefined && next.at <= now; next = this.#expiring.first) {
      this.#expiring.pop()
      const { entry, at } = next
      if (entry.expiresAt === at && isPending(entry)) return entry
    }
    return undefined
  }

  /** When the next one becomes due; Infinity where none waits. */
  get nextDueAt(): number {
    while (this.#waiting.first !== undefined && !isWaiting(this.#waiting.first)) this.#waiting.pop()
    return this.#waiting.first?.dueAt ?? Infinity
  }
}

/** What was replayed, cancelled or forgotten since does not wait any more. */
function isWaiting({ entry, dueAt }: Waiting): boolean {
  return entry.command.state === 'delayed' && entry.command.dueAt === dueAt
}

function isPending({ command }: QueueEntry): boolean {
  return command.state === 'queued' || command.state === 'delayed'
}
