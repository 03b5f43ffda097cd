import type { Command } from '../messages/message.ts'

/**
 * What one gets who schedules commands. It says that they stand in the queue, and nothing of what becomes of them: it is no
 * promise, so that whoever awaits it goes on at once, and waits for nobody.
 */
export interface ScheduledCommands {
  /** In the order in which they will run. */
  readonly commands: readonly { readonly type: string; readonly commandId: string }[]
  /** How many commands and events led to them, one after another, from 1. */
  readonly depth: number
}

/** Puts commands at the end of the queue: they run after those that are in it, in the same transaction. */
export type ScheduleCommands = (...commands: readonly Command[]) => ScheduledCommands
