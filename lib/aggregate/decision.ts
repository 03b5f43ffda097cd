import type { SealedMessage } from '../messages/sealed-message.ts'

/** What a command comes to: its events, and the state that they lead to. Not stored yet. */
export interface Decision {
  readonly events: readonly SealedMessage[]
  readonly state: unknown
  readonly reply: unknown
}

export const NO_EVENTS: readonly SealedMessage[] = Object.freeze([])
