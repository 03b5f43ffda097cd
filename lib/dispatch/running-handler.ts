import type { Instance } from '../aggregate/instance.ts'
import { asyncScope, type AsyncScope } from '../effects/async-scope.ts'

/** A command handler that is running, and the one from within which its command was dispatched. */
export interface RunningHandler {
  readonly instance: Instance | undefined
  readonly dispatchedFrom: RunningHandler | undefined
  /** The turn that it has on the instance, where that is not itself. */
  readonly turn?: object
  /** The unit of work that it runs in, if it does. */
  readonly unitOfWork?: object | undefined
  /** Of a batch: whether a stream of an application's is in its transaction, as long as that goes on. */
  readonly hasInBatch?: (services: object, streamId: string) => boolean
}

/** Whether an instance is held by a handler, or by one that waits for that handler. */
export function holds(handler: RunningHandler | undefined, instance: Instance): boolean {
  for (let at = handler; at !== undefined; at = at.dispatchedFrom) {
    // One that is through holds nothing any more, whatever it left running.
    if (at.instance === instance && instance.mailbox.current === (at.turn ?? at)) return true
  }
  return false
}

/** Whether a stream is in the transaction of a batch that waits for this handler: what others store there makes the batch conflict. */
export function isInBatch(handler: RunningHandler | undefined, services: object, streamId: string): boolean {
  for (let at = handler; at !== undefined; at = at.dispatchedFrom) {
    if (at.hasInBatch?.(services, streamId)) return true
  }
  return false
}

export function inBatchText(what: string, streamId: string): string {
  return `${what} was to change ${streamId} from within a batch that has loaded it: schedule a command, by executeCommands of the context`
}

let scope: AsyncScope<RunningHandler> | undefined

/** One for all applications, made when the first of them needs it; undefined where the platform has none. */
export function handlingScope(): AsyncScope<RunningHandler> | undefined {
  return (scope ??= asyncScope())
}

/** The handler, or the unit of work, that is running here. */
export function runningHere(): RunningHandler | undefined {
  return scope?.current()
}
