import { callLater, idleTimer, type Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { ReceiptTimeoutError, UnknownCommandError, type EdictError } from '../errors.ts'
import type { CommandQueueStore, QueuedCommand } from '../event-store/command-queue-store.ts'
import { UNFINISHED } from '../event-store/command-states.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'

/** How a command is over: as this process has seen it itself, or as the store tells. */
export type Over =
  { readonly result: ExecutionResult } | { readonly error: EdictError } | { readonly command: QueuedCommand }

interface Wait {
  readonly commandId: string
  readonly resolve: (over: Over) => void
  readonly reject: (error: EdictError) => void
}

interface ReceiptWaitsOptions {
  readonly commands: Pick<CommandQueueStore, 'read'>
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds between looks at the store, behind its wake-ups. */
  readonly pollInterval: number
  /** Somebody waits: from now on `look` is to be called when something may be over. */
  readonly watch: () => void
}

/** Milliseconds between two looks at all of them, but for the first; more where a look takes long. */
const SHORTEST_REST_MS = 10
const REST_FACTOR = 10

export function isOver({ state }: Pick<QueuedCommand, 'state'>): boolean {
  return !UNFINISHED.has(state)
}

/** Those who wait for commands to be over: all of them by one look at the store. */
export class ReceiptWaits {
  readonly #options: ReceiptWaitsOptions
  /** By command. */
  readonly #waits = new Map<string, Set<Wait>>()
  #cancelTimer: (() => void) | undefined
  /** When the next of them expires, if nobody begins it before. Milliseconds since the epoch. */
  #nextDeadline = Infinity
  readonly #toLookAt = new Set<string>()
  #looking = false
  /** Meanwhile, wake-ups are only noted. */
  #pausing = false
  #lookAgain = false
  #restFor = SHORTEST_REST_MS

  constructor(options: ReceiptWaitsOptions) {
    this.#options = options
  }

  /** Rejects with `receipt_timeout`, or with `unknown_command` where it is not stored any more. */
  wait(commandId: string, timeout: number): Promise<Over> {
    const { clock, watch } = this.#options
    return new Promise((resolve, reject) => {
      // After `Infinity` it is never called, and keeps the process of the one who waits alive.
      const stopTimer = callLater(clock, timeout, () => {
        wait.reject(new ReceiptTimeoutError(commandId, timeout))
      })
      const over = (): void => {
        this.#forget(wait)
        stopTimer()
        if (this.#waits.size === 0) this.#rest()
      }
      const wait: Wait = {
        commandId,
        resolve: (value) => {
          over()
          resolve(value)
        },
        reject: (error) => {
          over()
          reject(error)
        },
      }
      this.#waits.set(commandId, (this.#waits.get(commandId) ?? new Set()).add(wait))
      watch()
      this.#lookAt([commandId])
    })
  }

  /** This process itself has run a command, and its outcome is stored. */
  tell(commandId: string, over: Over): void {
    for (const wait of this.#of(commandId)) wait.resolve(over)
  }

  /** Something may be over. Where much is waited for, and wake-ups come thick and fast, it is looked at now and then. */
  look(): void {
    if (this.#waits.size === 0) return
    this.#lookAgain = this.#pausing
    if (this.#lookAgain) return
    const { clock } = this.#options
    this.#pausing = true
    idleTimer(clock, this.#restFor, () => {
      this.#pausing = false
      if (this.#lookAgain) this.look()
    })
    this.#lookAt(this.#waits.keys())
  }

  /** Nobody is to wait any more. */
  end(error: EdictError): void {
    for (const commandId of [...this.#waits.keys()]) for (const wait of this.#of(commandId)) wait.reject(error)
  }

  #of(commandId: string): readonly Wait[] {
    return [...(this.#waits.get(commandId) ?? [])]
  }

  #forget(wait: Wait): void {
    const waits = this.#waits.get(wait.commandId)
    waits?.delete(wait)
    if (waits?.size === 0) this.#waits.delete(wait.commandId)
  }

  #lookAt(commandIds: Iterable<string>): void {
    for (const commandId of commandIds) this.#toLookAt.add(commandId)
    if (!this.#looking) void this.#look()
  }

  async #look(): Promise<void> {
    this.#looking = true
    this.#rest()
    const { clock, commands, logger } = this.#options
    while (this.#toLookAt.size > 0) {
      const asked = [...this.#toLookAt]
      this.#toLookAt.clear()
      const began = clock.now()
      try {
        const found = await commands.read(asked)
        const byId = new Map(found.map((command) => [command.commandId, command]))
        for (const commandId of asked) this.#found(commandId, byId.get(commandId))
      } catch (err) {
        logger.warn({ err }, 'stored commands cannot be read; it is tried again')
      }
      this.#restFor = Math.max(SHORTEST_REST_MS, REST_FACTOR * (clock.now() - began))
    }
    this.#looking = false
    this.#arm()
  }

  #found(commandId: string, command: QueuedCommand | undefined): void {
    if (command !== undefined && !isOver(command)) {
      // Of one that was begun, or whose deadline is past, its worker tells: to look for that would be to look all the time.
      const { state, attempts, deadline = Infinity } = command
      const expires = state !== 'running' && attempts === 0 && deadline > this.#options.clock.now()
      if (expires) this.#nextDeadline = Math.min(this.#nextDeadline, deadline)
      return
    }
    for (const wait of this.#of(commandId)) {
      if (command === undefined) wait.reject(new UnknownCommandError(commandId))
      else wait.resolve({ command })
    }
  }

  #arm(): void {
    if (this.#waits.size === 0 || this.#cancelTimer !== undefined) return
    const { clock, pollInterval } = this.#options
    // The clock of the store may be behind.
    const untilDeadline = Math.max(SHORTEST_REST_MS, this.#nextDeadline - clock.now())
    this.#nextDeadline = Infinity
    this.#cancelTimer = idleTimer(clock, Math.min(pollInterval, untilDeadline), () => {
      this.#cancelTimer = undefined
      this.look()
    })
  }

  #rest(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}
