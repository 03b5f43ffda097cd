import process from 'node:process'
import type { ExitCode } from './exit-code.ts'
import type { Readiness } from './readiness.ts'

// How a server of several processes and its workers talk.

/** Set for a worker by the one that watches over it: the worker's number. */
export const WORKER_VARIABLE = 'EDICT_SERVER_WORKER'

export type ToWorker =
  | { readonly kind: 'drain' }
  /** Are you ready? */
  | { readonly kind: 'ask'; readonly question: number }

export type FromWorker =
  | { readonly kind: 'started' }
  /** The application cannot be loaded: no other attempt would change that. */
  | { readonly kind: 'hopeless'; readonly exitCode: ExitCode; readonly message: string }
  | { readonly kind: 'answer'; readonly question: number; readonly readiness: Readiness }

/** The one that watches over this worker. */
export interface Supervisor {
  readonly number: number
  tell(message: FromWorker): void
  /** Called with what it says; with `drain` too where it is gone. */
  listen(listener: (message: ToWorker) => void): void
  /** Hangs up, so that the process can end. */
  leave(): void
}

/** Undefined in a process that nobody watches over. */
export function supervisor(): Supervisor | undefined {
  const number = process.env[WORKER_VARIABLE]
  if (number === undefined || process.send === undefined) return undefined
  // Not for what the application may start itself.
  Reflect.deleteProperty(process.env, WORKER_VARIABLE)
  return {
    number: Number(number),
    tell: (message) => {
      // Where it is gone, `listen` tells.
      if (process.connected) process.send?.(message, () => undefined)
    },
    listen: (listener) => {
      process.on('message', listener)
      const drain = () => listener({ kind: 'drain' })
      process.on('disconnect', drain)
      // It may have gone while this process was loading, when nobody listened yet.
      if (!process.connected) queueMicrotask(drain)
    },
    leave: () => {
      process.removeAllListeners('disconnect')
      if (process.connected) process.disconnect()
    },
  }
}
