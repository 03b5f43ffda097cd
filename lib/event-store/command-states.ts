import type { CommandState } from './command-queue-store.ts'

/** All of them, in the order of a command's life. */
export const COMMAND_STATES: readonly CommandState[] = [
  ...(['delayed', 'queued', 'running', 'completed', 'rejected'] as const),
  ...(['dead', 'expired', 'cancelled', 'discarded'] as const),
]

/** Those of commands that wait, or run. */
export const UNFINISHED: ReadonlySet<CommandState> = new Set(['delayed', 'queued', 'running'])

/** Those of commands that may be stored anew under the same id or key: they came to nothing. */
export const CAME_TO_NOTHING: ReadonlySet<CommandState> = new Set([
  ...(['rejected', 'dead', 'expired', 'cancelled', 'discarded'] as const),
])
