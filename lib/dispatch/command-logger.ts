import { systemClock, type Clock } from '../effects/clock.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import { consoleLogger, type Logger } from '../effects/logger.ts'
import { checkOptions } from '../event-store/argument-checks.ts'
import type { HookMiddleware } from '../routing/middleware.ts'

/** Where `commandLogger` logs to, and by which clock. */
export interface CommandLoggerOptions {
  /** Where it logs to. @default the console */
  readonly logger?: Logger
  /** What durations are measured with. @default the machine's clock */
  readonly clock?: Clock
}

/** A no is information; anything else is an error. */
const EXPECTED: ReadonlySet<string> = new Set(['CommandRejectedError', 'UniqueValueTakenError', 'HaltedError'])
const STARTED_AT = 'edict.commandLogger.startedAt'

/**
 * Middleware that logs each command: its type when it begins, and how it ended, with the duration in milliseconds. Data is
 * not logged, since it may be secret. A rejection or a halt is information; any other failure is an error.
 *
 * @example
 * import pino from 'pino'
 *
 * router('bank', (bank) => bank.middleware(commandLogger({ logger: pino() })) …)
 *
 * @throws {InvalidOptionError} `invalid_option`
 */
export function commandLogger(options: CommandLoggerOptions = {}): HookMiddleware {
  checkOptions('commandLogger', options, ['logger', 'clock'])
  // A logger that fails must not become the command's failure.
  const logger = containedLogger(options.logger ?? consoleLogger({ level: 'info' }))
  const clock = options.clock ?? systemClock
  const fields = (pipeline: Parameters<NonNullable<HookMiddleware['beforeDispatch']>>[0]) => ({
    command: pipeline.command.type,
    commandId: pipeline.commandId,
    correlationId: pipeline.correlationId,
    aggregateId: pipeline.aggregateId,
  })
  const elapsed = (assigns: Readonly<Record<string, unknown>>) => clock.now() - Number(assigns[STARTED_AT])
  return {
    beforeDispatch(pipeline) {
      pipeline.assign(STARTED_AT, clock.now())
      logger.info(fields(pipeline), `${pipeline.command.type} dispatched`)
    },
    afterDispatch(pipeline) {
      const milliseconds = elapsed(pipeline.assigns)
      const events = pipeline.result?.events.length ?? 0
      // What is not committed yet may come to nothing.
      const ended = pipeline.isProvisional ? 'ran' : 'succeeded'
      logger.info({ ...fields(pipeline), milliseconds, events }, `${pipeline.command.type} ${ended}`)
    },
    afterFailure(pipeline) {
      const { error, command } = pipeline
      const milliseconds = elapsed(pipeline.assigns)
      const expected = error !== undefined && EXPECTED.has(error.name)
      const entry = { ...fields(pipeline), milliseconds, code: error?.code, ...(expected ? {} : { err: error }) }
      logger[expected ? 'info' : 'error'](entry, `${command.type} failed: ${error?.message ?? ''}`)
    },
  }
}
