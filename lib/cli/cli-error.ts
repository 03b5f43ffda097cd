import { EXIT, type ExitCode } from './exit-code.ts'

/** A failure whose message says it all to whoever typed the command. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = EXIT.failure, options: { readonly cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.exitCode = exitCode
  }
}

export function usageError(message: string): CliError {
  return new CliError(message, EXIT.usage)
}

export function notFound(message: string): CliError {
  return new CliError(message, EXIT.notFound)
}
