import type { ResolvedOptions } from '../dispatch/options.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'

// What a call says of its dispatch, beside what has a column of its own, travels as JSON to whoever runs the command.

const KEPT = ['consistency', 'timeout', 'consistencyTimeout', 'retryAttempts', 'expectedVersion'] as const

/** JSON has no text for it. */
const INFINITE = 'Infinity'

/** The options as they are stored; they were checked before. */
export function storedOptions(given: DispatchOptions, dataFits: boolean): Readonly<Record<string, unknown>> {
  const stored: Record<string, unknown> = {}
  for (const key of KEPT) {
    const value = given[key]
    if (value === undefined) continue
    if (value === Infinity) stored[key] = INFINITE
    else if (Array.isArray(value)) stored[key] = value.map(nameOf)
    else stored[key] = value
  }
  if (dataFits) stored.dataFits = true
  return stored
}

/** The options that a dispatch is given, once more; whatever is wrong with them is found there. */
export function givenOptions(stored: Readonly<Record<string, unknown>>): DispatchOptions {
  const given: Record<string, unknown> = {}
  for (const key of KEPT) if (stored[key] !== undefined) given[key] = stored[key] === INFINITE ? Infinity : stored[key]
  return given
}

/** Whether the data satisfied the schema as it was stored: not where the schema makes something else of what it takes. */
export function dataDidFit(stored: Readonly<Record<string, unknown>>): boolean {
  return stored.dataFits === true
}

/** What bounds a run of a command. Milliseconds. */
export type RunLimits = Pick<ResolvedOptions, 'timeout' | 'consistency' | 'consistencyTimeout'>

/** How long the one who runs a command gives it, and the handlers of its events. */
export function limitsIn(stored: Readonly<Record<string, unknown>>, otherwise: RunLimits): RunLimits {
  const {
    timeout = otherwise.timeout,
    consistency = otherwise.consistency,
    consistencyTimeout = otherwise.consistencyTimeout,
  } = givenOptions(stored)
  return { timeout, consistency, consistencyTimeout }
}

function nameOf(handler: string | { readonly name: string }): string {
  return typeof handler === 'string' ? handler : handler.name
}
