import type { DispatchServices } from '../dispatch/services.ts'
import type { CommandQueueStore } from '../event-store/command-queue-store.ts'
import type { EnqueueOptions } from '../routing/enqueue-options.ts'

/** A command that is to be run again and again, as an application lists it. */
export interface Recurring {
  readonly name: string
}

export interface RecurrenceOptions extends Pick<DispatchServices, 'clock' | 'logger'> {
  readonly commands: Pick<CommandQueueStore, 'read'>
  enqueue(command: unknown, options: EnqueueOptions): Promise<unknown>
}

/** What sees to it that the next occurrence is stored. */
export interface RunningRecurrence {
  start(): void
  stop(): void
}

/** What an application sees of it. It brings what runs it, so that an application without one does not carry it. */
export interface RecurringBody {
  readonly name: string
  readonly run: (options: RecurrenceOptions) => RunningRecurrence
}

const bodies = new WeakMap<object, RecurringBody>()

export function keepRecurringBody(recurring: object, body: RecurringBody): void {
  bodies.set(recurring, body)
}

/** What `recurring` prepared; undefined where the value is none. */
export function recurringBodyOf(recurring: unknown): RecurringBody | undefined {
  return typeof recurring === 'object' && recurring !== null ? bodies.get(recurring) : undefined
}
