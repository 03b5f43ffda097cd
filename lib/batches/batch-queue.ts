import { EventIdSeed } from '../messages/event-id.ts'
import { fingerprint } from '../messages/fingerprint.ts'
import { DEPTH, type TriggeredOptions } from '../dispatch/options.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { BatchTooLargeError, DispatchTooDeepError, type EdictError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ScheduledCommands } from '../routing/scheduling.ts'
import { carriedOptions } from '../subscribers/carried-options.ts'
import type { BatchEntry, ScheduledBy } from './batch-entry.ts'
import type { EntryMaker } from './entry-maker.ts'

const IDS = new EventIdSeed('edict.scheduled')

/** The commands of a batch, first in, first out; those that are scheduled meanwhile come at the end. */
export class BatchQueue {
  readonly #services: DispatchServices
  readonly #make: EntryMaker
  readonly #limits: { readonly maxDepth: number; readonly maxCommands: number }
  readonly #given: readonly BatchEntry[]
  #entries: BatchEntry[]
  readonly #scheduled = new Set<BatchEntry>()
  #broken: EdictError | undefined

  constructor(
    services: DispatchServices,
    make: EntryMaker,
    limits: { readonly maxDepth: number; readonly maxCommands: number },
    given: readonly BatchEntry[],
  ) {
    this.#services = services
    this.#make = make
    this.#limits = limits
    this.#given = given
    this.#entries = [...given]
    if (given.length > limits.maxCommands) throw new BatchTooLargeError(limits.maxCommands)
  }

  get given(): readonly BatchEntry[] {
    return this.#given
  }

  /** In the order in which they run. */
  get entries(): readonly BatchEntry[] {
    return this.#entries
  }

  /** Those that were scheduled in an earlier run, and in the last one no more. */
  get dropped(): readonly BatchEntry[] {
    if (this.#scheduled.size === 0) return []
    const entries = new Set(this.#entries)
    return [...this.#scheduled].filter((entry) => !entries.has(entry))
  }

  /** Why the cascade was cut: the batch fails by it, whoever caught it. */
  get broken(): EdictError | undefined {
    return this.#broken
  }

  /** Throws where the cascade was cut. */
  refuseBroken(): void {
    if (this.#broken !== undefined) throw this.#broken
  }

  /** Begins anew with those that were given. Those that were scheduled are scheduled again, or are not. */
  again(): void {
    const before = this.#entries
    this.#entries = [...this.#given]
    const now = this.#services.clock.now()
    for (const entry of before) entry.again(now)
  }

  fromWorkflow(
    workflow: string,
    parent: BatchEntry,
    event: RecordedEvent,
    commands: readonly unknown[],
  ): ScheduledCommands {
    return this.#schedule({ kind: 'workflow', name: workflow, parent }, carriedOptions(event, undefined), commands)
  }

  fromHandler(parent: BatchEntry, commands: readonly unknown[]): ScheduledCommands {
    const { commandId, correlationId, metadata, tenant, options } = parent
    const { deadline, depth } = options
    const carried: TriggeredOptions = {
      ...{ causationId: commandId, correlationId, metadata, [DEPTH]: depth + 1 },
      ...(tenant !== undefined && { tenant }),
      ...(deadline !== undefined && { deadline }),
    }
    return this.#schedule({ kind: 'command-handler', name: parent.command.type, parent }, carried, commands)
  }

  #schedule(by: ScheduledBy, options: TriggeredOptions, commands: readonly unknown[]): ScheduledCommands {
    const made = commands.map((command) => this.#entryOf(by, options, command))
    const last = made.at(-1)
    if (last !== undefined && last.cascade > this.#limits.maxDepth) {
      throw this.#break(new DispatchTooDeepError(last.command.type, last.cascade, this.#limits.maxDepth))
    }
    if (this.#entries.length + made.length > this.#limits.maxCommands) {
      throw this.#break(new BatchTooLargeError(this.#limits.maxCommands))
    }
    this.#entries.push(...made)
    return Object.freeze({
      commands: Object.freeze(made.map(({ command, commandId }) => Object.freeze({ type: command.type, commandId }))),
      depth: by.parent.cascade + 1,
    })
  }

  #break(error: EdictError): EdictError {
    this.#broken ??= error
    return error
  }

  /** The same command in the same place as in the run before is the same: its middleware is over, and its id stays. */
  #entryOf(by: ScheduledBy, options: TriggeredOptions, command: unknown): BatchEntry {
    const { parent } = by
    const at = parent.scheduled++
    const made = this.#make({
      command,
      options,
      scheduledBy: by,
      commandId: IDS.eventId(parent.commandId, at),
      correlationId: parent.correlationId,
    })
    const known = parent.children[at]
    if (known !== undefined && isSame(known, made)) return known
    parent.children[at] = made
    this.#scheduled.add(made)
    return made
  }
}

function isSame(one: BatchEntry, other: BatchEntry): boolean {
  return one.command.type === other.command.type && fingerprint(one.command) === fingerprint(other.command)
}
