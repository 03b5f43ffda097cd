import { BatchFailedError, DispatchTooDeepError, BatchTooLargeError, type EdictError } from '../errors.ts'
import type { Command } from '../messages/message.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import { carriedOptions } from '../subscribers/carried-options.ts'
import type { BatchEngine, Rehearsal } from './batch-engine.ts'
import type { BatchEntry } from './batch-entry.ts'
import type {
  DryRunCommand,
  DryRunEvent,
  DryRunFailure,
  DryRunFollower,
  DryRunReport,
  DryRunSender,
} from './dry-run-type.ts'

/** One that goes from events to commands after the commit. */
export interface RehearsedSender {
  readonly kind: 'background-workflow' | 'process-manager'
  readonly name: string
  wants(event: RecordedEvent): boolean
  /** What it would send: each list is one transaction. */
  send(
    event: RecordedEvent,
  ): Promise<readonly { readonly sender: DryRunSender; readonly commands: readonly SealedMessage[] }[]>
}

export interface DryRunParts {
  readonly engine: BatchEngine
  readonly senders: readonly RehearsedSender[]
  /** Who would get an event, in the order of their definition. */
  readonly followersOf: (event: RecordedEvent) => readonly DryRunFollower[]
  /** As it will be read. */
  readonly asRead: (events: readonly RecordedEvent[]) => readonly RecordedEvent[]
  readonly limits: { readonly maxDepth: number; readonly maxCommands: number }
}

interface Arrived {
  readonly event: RecordedEvent
  readonly depth: number
}

/** Plays through what commands would lead to: transaction by transaction, each on what the ones before would have left. */
export class DryRun {
  readonly #parts: DryRunParts
  readonly #commands: DryRunCommand[] = []
  readonly #failures: DryRunFailure[] = []
  readonly #arrived: Arrived[] = []
  #transactions = 0

  constructor(parts: DryRunParts) {
    this.#parts = parts
  }

  async run(commands: readonly SealedMessage[], options: object): Promise<DryRunReport> {
    const { failure } = await this.#transaction(commands, options, undefined, 0)
    for (let next = this.#arrived.shift(); next !== undefined; next = this.#arrived.shift()) await this.#follow(next)
    return Object.freeze({
      ok: failure === undefined,
      error: failure,
      commands: Object.freeze(this.#commands),
      failures: Object.freeze(this.#failures),
    })
  }

  async #follow({ event, depth }: Arrived): Promise<void> {
    for (const sender of this.#parts.senders) {
      if (!sender.wants(event)) continue
      const follower = { kind: sender.kind, name: sender.name }
      try {
        for (const { sender: sentBy, commands } of await sender.send(event)) {
          if (commands.length === 0) continue
          this.#cut(commands, depth + 1)
          await this.#transaction(commands, carriedOptions(event, undefined), sentBy, depth + 1)
        }
      } catch (error) {
        this.#failures.push(Object.freeze({ follower, event, error }))
      }
    }
  }

  /** A chain without an end would be followed for ever. */
  #cut(commands: readonly SealedMessage[], depth: number): void {
    const { maxDepth, maxCommands } = this.#parts.limits
    if (depth > maxDepth) throw new DispatchTooDeepError(commands[0]?.type ?? '', depth, maxDepth)
    if (this.#commands.length + commands.length > maxCommands) throw new BatchTooLargeError(maxCommands)
  }

  async #transaction(
    commands: readonly SealedMessage[],
    options: object,
    sentBy: DryRunSender | undefined,
    depth: number,
  ): Promise<Rehearsal> {
    const rehearsal = await this.#parts.engine.rehearse(commands, options)
    const { entries, outcomes, failure } = rehearsal
    const transaction = this.#transactions++
    const failed = failure instanceof BatchFailedError ? failure.index : undefined
    for (const [index, entry] of entries.entries()) {
      const { command, scheduledBy, cascade } = entry
      const result = outcomes[index]?.result ?? entry.provisional
      const events = this.#events(failure === undefined ? (result?.events ?? []) : [])
      this.#commands.push(
        Object.freeze({
          // A command's definition has made it.
          command: command as unknown as Command,
          sentBy: scheduledBy === undefined ? sentBy : { kind: scheduledBy.kind, name: scheduledBy.name },
          ...{ depth: depth + cascade, transaction },
          ...became({ index, hasRun: entry.provisional !== undefined }, failed, failure),
          streamId: result?.streamId,
          aggregateVersion: result?.aggregateVersion,
          aggregateState: result?.aggregateState,
          ...{ reply: result?.reply, events },
        }),
      )
    }
    this.#commit(entries, rehearsal, depth)
    return rehearsal
  }

  #events(events: readonly RecordedEvent[]): readonly DryRunEvent[] {
    const { asRead, followersOf } = this.#parts
    return Object.freeze(
      events.map((recorded) => {
        const { type, data } = recorded
        const followers = asRead([recorded]).flatMap(followersOf)
        return Object.freeze({ recorded, type, data, followers: Object.freeze(followers) })
      }),
    )
  }

  /** Who follows the events sees them in the order of their positions. */
  #commit(entries: readonly BatchEntry[], { outcomes, failure }: Rehearsal, depth: number): void {
    if (failure !== undefined) return
    const arrived = outcomes.flatMap(({ result }, index) => {
      const cascade = entries[index]?.cascade ?? 0
      return this.#parts.asRead(result.events).map((event) => ({ event, depth: depth + cascade }))
    })
    this.#arrived.push(...arrived.sort((one, other) => one.event.position - other.event.position))
  }
}

function became(
  { index, hasRun }: { readonly index: number; readonly hasRun: boolean },
  failed: number | undefined,
  failure: EdictError | undefined,
): Pick<DryRunCommand, 'outcome' | 'error'> {
  if (failure === undefined) return { outcome: 'executed', error: undefined }
  // What fails at the commit has let all of them run.
  if (failed === undefined || (index !== failed && hasRun)) return { outcome: 'rolled-back', error: undefined }
  if (index !== failed) return { outcome: 'not-run', error: undefined }
  return { outcome: 'failed', error: failure.cause as EdictError }
}
