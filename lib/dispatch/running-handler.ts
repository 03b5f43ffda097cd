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
  /** Of a unit of work: whether it has loaded a stream of an application's, as long as it goes on. */
  readonly hasInUnit?: (services: object, streamId: string) => boolean
  /** Of a dry run, as long as it goes on: of which application it is, as its services. */
  readonly rehearses?: object | undefined
}

/** Whether an instance is held by a handler, or by one that waits for that handler. */
export function holds(handler: RunningHandler | undefined, instance: Instance): boolean {
  for (let at = handler; at !== undefined; at = at.dispatchedFrom) if (isHeldBy(at, instance)) return true
  return false
}

/** One that is through holds nothing any more, whatever it left running. */
function isHeldBy(handler: RunningHandler, instance: Instance): boolean {
  return handler.instance === instance && instance.mailbox.current === (handler.turn ?? handler)
}

/**
 * Why a handler that waits, or one that waits for it, bears no change of a stream by others: it has loaded it, so that what they store
 * there makes its own commit conflict, each time that it runs. Undefined where none is in the way.
 */
export function refusalOfChange(
  what: string,
  handler: RunningHandler | undefined,
  services: object,
  streamId: string,
): string | undefined {
  const rehearsed = refusalInDryRun(what, handler, services)
  if (rehearsed !== undefined) return rehearsed
  const hasLoaded = (which: 'hasInBatch' | 'hasInUnit'): boolean => {
    for (let at = handler; at !== undefined; at = at.dispatchedFrom) {
      if (at[which]?.(services, streamId)) return true
    }
    return false
  }
  // The handlers of a batch have units, too.
  if (hasLoaded('hasInBatch')) {
    return `${what} was to change ${streamId} from within a batch that has loaded it: schedule a command, by executeCommands of the context`
  }
  if (hasLoaded('hasInUnit')) {
    return `${what} was to change ${streamId} from within a unit of work that has loaded it: change it by the repository of the unit, or dispatch after the commit`
  }
  return undefined
}

/** Why nothing is to be stored by what runs here: it is a dry run. Undefined where it is none. */
export function refusalInDryRun(
  what: string,
  handler: RunningHandler | undefined,
  services: object,
): string | undefined {
  for (let at = handler; at !== undefined; at = at.dispatchedFrom) {
    if (at.rehearses !== services) continue
    return `${what} would store something within a dry run, after which nothing is to have happened: schedule a command, by executeCommands of the context`
  }
  return undefined
}

/**
 * Why a handler that was given the state of its aggregate, or one that waits for it, bears no change of that by others: it would be stored,
 * and the handler would be run again on it, each time. Undefined where there is none.
 */
export function refusalOfOwnChange(
  what: string,
  handler: RunningHandler | undefined,
  instance: Instance,
): string | undefined {
  for (let at = handler; at !== undefined; at = at.dispatchedFrom) {
    // What is in a unit of work is loaded by its handler, and known there.
    if (at.unitOfWork === undefined && isHeldBy(at, instance)) {
      return `${what} was to change ${instance.streamId} from within its own handler: return its events instead`
    }
  }
  return undefined
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
