import type { Logger } from './logger.ts'

/** A logger whose failures concern nobody: what it throws must not become a handler's or a subscription's failure. */
export function containedLogger(logger: Logger): Logger {
  function contained(method: keyof Logger): (fields: object, message: string) => void {
    return (fields, message) => {
      try {
        logger[method](fields, message)
      } catch {
        // There is nobody left to tell.
      }
    }
  }
  return {
    debug: contained('debug'),
    info: contained('info'),
    warn: contained('warn'),
    error: contained('error'),
  }
}
