import process from 'node:process'
import type { Application } from '../application/application-type.ts'
import { redirectConsoleLoggers, type Logger } from '../effects/logger.ts'
import type { Cli } from './cli.ts'
import { jsonLog, type Level } from './json-log.ts'

/** The log of a server: lines of JSON on the standard output, those of its application among them. */
export function serverLog(cli: Cli, level: Level, worker: number | undefined): Logger {
  const common = { pid: process.pid, ...(worker !== undefined && { worker }) }
  const log = jsonLog(level, common, (line) => cli.terminal.write(line))
  redirectConsoleLoggers(log)
  return log
}

/** Logs the commands that fail, queued or not, and, where the level asks for it, all others. */
export function logCommands(application: Pick<Application<unknown>, 'on'>, log: Logger): void {
  application.on('dispatch:stop', ({ command, commandId, correlationId, streamId, aggregateVersion, duration }) => {
    log.debug({ command, commandId, correlationId, streamId, aggregateVersion, duration }, 'command executed')
  })
  application.on('dispatch:exception', ({ command, commandId, correlationId, streamId, outcome, duration, error }) => {
    const fields = { command, commandId, correlationId, streamId, outcome, duration, code: error.code }
    // That the domain refuses something is its daily work.
    if (outcome === 'rejected') log.debug(fields, `command rejected: ${error.message}`)
    else log.warn({ ...fields, error }, `command failed: ${error.message}`)
  })
  application.on('command:settle', ({ command, commandId, correlationId, streamId, state, attempts, ...rest }) => {
    const { waited, duration, delay, error } = rest
    const told = { command, commandId, correlationId, streamId, state, attempts, waited, duration, delay }
    const fields = { ...told, code: error?.code }
    // What was refused, or never began, is told of nowhere else at this level.
    const why = error === undefined ? '' : `: ${error.message}`
    if (state === 'dead') log.error(fields, `queued command is a dead letter${why}`)
    else if (state === 'delayed') log.warn(fields, `queued command is tried again${why}`)
    else log.debug(fields, `queued command ${state}`)
  })
}
