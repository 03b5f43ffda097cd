import type { SealedMessage } from '../messages/sealed-message.ts'

/** A command with its place among those of its event. */
export interface PlannedCommand {
  readonly key: string
  readonly command: SealedMessage
}

/** The commands of an event, once `onError` has changed them: kept, so that it is not asked again when the event comes again. */
export interface CommandPlan {
  readonly position: number
  readonly index: number
  readonly commands: readonly PlannedCommand[]
}

/** What is kept of an instance. */
export interface ProcessRecord {
  /** `new` where it has handled nothing yet; `over` where it was stopped, and may be started again. */
  readonly status: 'new' | 'running' | 'over'
  readonly state: unknown
  /** The last event that it has handled. */
  readonly position: number
  readonly index: number
  readonly plan: CommandPlan | undefined
}

export const NEW_PROCESS: ProcessRecord = Object.freeze({
  status: 'new',
  state: undefined,
  position: 0,
  index: 0,
  plan: undefined,
})
