import { Cron } from 'croner'
import { DefinitionError, describeThrown } from '../errors.ts'
import { checkOptions, textFault } from '../event-store/argument-checks.ts'
import type { Command } from '../messages/message.ts'
import { refuseSignal, refuseWaiting, splitOptions } from '../queue/enqueue-checks.ts'
import { Recurrence } from '../queue/recurrence.ts'
import { keepRecurringBody, type Recurring } from '../queue/recurring-body.ts'
import type { EnqueueOptions } from '../routing/enqueue-options.ts'

export type { Recurring } from '../queue/recurring-body.ts'

export interface RecurringDefinition {
  /** Minute, hour, day of the month, month, day of the week; a sixth field in front counts seconds. */
  readonly cron: string
  /** As `'Europe/Vienna'`. @default the machine's, which is not the same on all of them: say it */
  readonly timeZone?: string
  /** The command of one occurrence. It is asked for ahead, when the occurrence before is over. */
  readonly command: (at: Date) => Command
  /** What `enqueue` takes; its id, its key and its time are those of the occurrence. @default none */
  readonly options?: Omit<EnqueueOptions, 'commandId' | 'idempotencyKey' | 'notBefore' | 'delay' | 'application'>
}

/**
 * A command that is run again and again, at the times that a cron expression says. An application lists it as `recurring`. Each occurrence is
 * run once, over however many nodes. Where no node runs at its time, it is run as soon as one does; those that were missed after it are not.
 *
 * @example
 * import { recurring } from 'edict/recurring'
 *
 * const nightly = recurring('nightly-interest', {
 *   cron: '0 3 * * *',
 *   timeZone: 'Europe/Vienna',
 *   command: () => DepositMoney({ accountNumber: 'ACC123', amount: 5 }),
 * })
 * const bank = application({ name: 'bank', router: bankRouter, eventStore: inMemoryEventStore(), workers: 1, recurring: [nightly] })
 *
 * @param name unique in the application; a stored contract, as it makes the ids of the occurrences
 * @throws {DefinitionError} `invalid_definition` where the expression, the time zone or an option makes no sense
 */
export function recurring(name: string, definition: RecurringDefinition): Recurring {
  const fault = textFault(name)
  if (fault !== undefined) throw new DefinitionError(`recurring(name, …): its name ${fault}`)
  const { cron, timeZone, command, options } = checked(name, definition)
  const schedule = { name, command, options: options ?? {}, next: (after: Date) => cron.nextRun(after) ?? undefined }
  const made: Recurring = Object.freeze({ name, cron: definition.cron, ...(timeZone !== undefined && { timeZone }) })
  keepRecurringBody(made, { name, run: (running) => new Recurrence(schedule, running) })
  return made
}

function checked(name: string, definition: RecurringDefinition) {
  try {
    checkOptions(`recurring ${name}`, definition, ['cron', 'timeZone', 'command', 'options'])
    const { timeZone, command, options } = definition
    if (typeof command !== 'function') throw new TypeError('command must be a function')
    const { queueing, dispatch } = splitOptions(options)
    refuseWaiting(queueing)
    refuseSignal(dispatch)
    const cron = new Cron(definition.cron, { paused: true, ...(timeZone !== undefined && { timezone: timeZone }) })
    // It says where the time zone is none only when it is asked.
    cron.nextRun()
    return { cron, timeZone, command, options }
  } catch (cause) {
    throw new DefinitionError(`recurring ${name}: ${describeThrown(cause)}`, { cause })
  }
}
