/** The four methods that Edict logs with: pino fits as it is, others by a line or two. The fields come first, as in pino. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

interface HostConsole {
  readonly info: (...parts: unknown[]) => void
  readonly warn: (...parts: unknown[]) => void
  readonly error: (...parts: unknown[]) => void
}

function hostConsole(): HostConsole {
  // Every platform has one; the core is compiled without the types of any.
  return (globalThis as unknown as { readonly console: HostConsole }).console
}

function ignore(): void {
  // Below the level that the console is asked for.
}

let instead: Logger | undefined

/** From now on, whatever goes to the console by `consoleLogger` goes there instead: a server has one log, of one form. */
export function redirectConsoleLoggers(logger: Logger | undefined): void {
  instead = logger
}

/**
 * Logs to the console. An application without a logger of its own uses it for warnings and errors.
 *
 * @example
 * application({ …, logger: consoleLogger({ level: 'info' }) })
 *
 * The level is the least important one that is written; `'warn'` where it is left out.
 */
export function consoleLogger({ level = 'warn' }: { readonly level?: 'info' | 'warn' | 'error' } = {}): Logger {
  const write =
    (method: keyof HostConsole) =>
    (fields: object, message: string): void => {
      if (instead === undefined) hostConsole()[method](message, fields)
      else instead[method](fields, message)
    }
  return {
    debug: ignore,
    info: level === 'info' ? write('info') : ignore,
    warn: level === 'error' ? ignore : write('warn'),
    error: write('error'),
  }
}
