import type { Lane, QueuedCommand } from '../../event-store/command-queue-store.ts'

/** A command as the queue keeps it: what is stored of it is replaced as a whole. */
export interface QueueEntry {
  command: QueuedCommand
  /** From when on it is expired, unless it was begun: of one that may have been nobody knows here what came of it. */
  expiresAt: number | undefined
}

/** The commands of one stream and lane that are not over and not waiting for their time, and who may run them. */
export class CommandGroup {
  readonly streamId: string
  readonly lane: Lane
  owner: string | undefined
  epoch = 0
  /** When the lease runs out. */
  until = 0
  /** Where it stands among the groups that can be claimed, if it does. */
  offered: number | undefined
  /** By position. */
  readonly #entries: QueueEntry[] = []

  constructor(streamId: string, lane: Lane) {
    this.streamId = streamId
    this.lane = lane
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Puts it where it belongs; takes it out where it has nothing to do here any more. */
  place(entry: QueueEntry): void {
    const entries = this.#entries
    const found = entries.indexOf(entry)
    if (!belongs(entry.command)) {
      if (found === 0) entries.shift()
      else if (found > 0) entries.splice(found, 1)
      return
    }
    if (found >= 0) return
    let at = entries.length
    while (at > 0 && (entries[at - 1] as QueueEntry).command.position > entry.command.position) at--
    if (at === entries.length) entries.push(entry)
    else entries.splice(at, 0, entry)
  }

  /** The first of those that are due; none behind a strict command that is not done. */
  due(limit: number): QueueEntry[] {
    const due: QueueEntry[] = []
    for (const entry of this.#entries) {
      if (due.length === limit || blocks(entry.command)) break
      if (entry.command.state === 'queued') due.push(entry)
    }
    return due
  }

  running(): QueueEntry[] {
    return this.#entries.filter(({ command }) => command.state === 'running')
  }

  /** Whether the first that is running stands behind a strict command that is not done. */
  runsBehindBlocker(): boolean {
    const first = this.#entries.find(({ command }) => isRunning(command) || blocks(command))
    return first !== undefined && blocks(first.command)
  }

  /** Where it would be gone on; undefined where there is nothing to run. */
  nextPosition(): number | undefined {
    const next = this.owner === undefined ? this.due(1)[0] : this.#entries.find(({ command }) => isRunning(command))
    return next?.command.position
  }
}

function isRunning({ state }: QueuedCommand): boolean {
  return state === 'running'
}

function belongs(command: QueuedCommand): boolean {
  return command.state === 'queued' || command.state === 'running' || blocks(command)
}

/** Whether later commands of the group wait for this one, which itself waits. */
function blocks({ strict, state, attempts }: QueuedCommand): boolean {
  return strict && (state === 'dead' || (state === 'delayed' && attempts > 0))
}
