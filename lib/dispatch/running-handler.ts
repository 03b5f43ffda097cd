import type { Instance } from '../aggregate/instance.ts'

/** A command handler that is running, and the one from within which its command was dispatched. */
export interface RunningHandler {
  readonly instance: Instance | undefined
  readonly dispatchedFrom: RunningHandler | undefined
}

/** Whether an instance is held by a handler, or by one that waits for that handler. */
export function holds(handler: RunningHandler | undefined, instance: Instance): boolean {
  for (let at = handler; at !== undefined; at = at.dispatchedFrom) {
    // One that is through holds nothing any more, whatever it left running.
    if (at.instance === instance && instance.mailbox.current === at) return true
  }
  return false
}
