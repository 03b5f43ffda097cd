import type { Logger } from '../effects/logger.ts'
import { plainJson } from './plain.ts'

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

/** A line of JSON for each entry: `time`, `level`, `message`, what all have in common, and the fields. */
export function jsonLog(level: Level, common: object, write: (line: string) => unknown): Logger {
  const least = LEVELS.indexOf(level)
  const at = (name: Level) => (given: object, message: string) => {
    if (LEVELS.indexOf(name) < least) return
    const line = { time: new Date(), level: name, message, ...common, ...given }
    write(`${safeJson(line)}\n`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** What users' errors carry may be anything, and a log must not fail for it. */
function safeJson(line: object): string {
  try {
    return plainJson(withErrors(line))
  } catch {
    const { time, level, message } = line as {
      readonly time?: unknown
      readonly level?: unknown
      readonly message?: unknown
    }
    return plainJson({ time, level, message, unloggable: true })
  }
}

function withErrors(line: object): object {
  return Object.fromEntries(
    Object.entries(line).map(([name, value]) => [name, value instanceof Error ? loggedError(value) : value]),
  )
}

function loggedError(error: Error): object {
  const code = 'code' in error ? error.code : undefined
  const { name, message, stack, cause } = error
  return {
    name,
    message,
    ...(code !== undefined && { code }),
    stack,
    ...(cause instanceof Error && { cause: loggedError(cause) }),
  }
}
