import type { DispatchServices } from '../dispatch/services.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { QueuedCommands } from '../queue/queued-commands.ts'
import type { Routing } from '../routing/routing.ts'
import type { CheckedDefinition } from './definition.ts'
import type { Runner } from './runners.ts'

/** What the testing kit and the command line see of an application. */
export interface ApplicationInside {
  readonly name: string
  /** As the application was given it. */
  readonly store: EventStore
  readonly services: Pick<DispatchServices, 'store' | 'codec' | 'board'>
  readonly definition: CheckedDefinition
  readonly routing: Routing
  isRunning(): boolean
  /** The names of those who follow the events. */
  handlers(): readonly string[]
  /**
   * Those who follow the events, not started, for whoever looks after them while this application does not run: once, with its store open.
   */
  makeRunners(): readonly Runner[]
  /**
   * The stored commands, in the hands of whoever has opened the store, though the application does not run; undefined where the store
   * keeps none.
   */
  readonly commands: QueuedCommands | undefined
  /** Of how many aggregates it runs queued commands at once from its next start on, whatever its definition says. */
  workWith(workers: number): void
  /** Before the application stops: no more queued commands are begun, and those under way are waited for, so many milliseconds at most. */
  drainWorkers(patience: number): Promise<void>
  /** Resolves when no command is under way. */
  idle(): Promise<void>
  /** Runs the queued commands that are due, and those that these lead to, until there are none; how many there were. */
  runQueued(): Promise<number>
  /**
   * Lets all that is under way end, does something while nothing runs, and begins anew with nothing in memory. The application
   * refuses commands meanwhile.
   */
  beginAnew(meanwhile: () => void): Promise<void>
}

const insides = new WeakMap<object, ApplicationInside>()

export function keepInside(application: object, inside: ApplicationInside): void {
  insides.set(application, inside)
}

/** Undefined where the value is no application. */
export function insideOf(application: unknown): ApplicationInside | undefined {
  return typeof application === 'object' && application !== null ? insides.get(application) : undefined
}

/** The applications that run in this process, by name. */
export const runningApplications = new Map<string, object>()
