import { InvalidOutcomeError, isEdictError } from '../errors.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { Command } from '../messages/message.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import { carriedOptions } from './carried-options.ts'
import { described } from './described.ts'
import type { ProcessAttempt } from './process-attempt.ts'
import type { ProcessFailure } from './process-context.ts'
import { CommandAction } from './process-error-action.ts'
import type { ProcessAction } from './process-failures.ts'
import type { ProcessInstance } from './process-instance.ts'
import type { PlannedCommand, ProcessRecord } from './process-record.ts'
import type { ProcessServices } from './process-services.ts'

/** The handling of an event, as far as its commands go. */
export interface CommandTurn {
  readonly services: ProcessServices
  readonly instance: ProcessInstance
  readonly recorded: RecordedEvent
  decide(error: unknown, failure: ProcessFailure, failures: number): Promise<ProcessAction>
  readonly isReplay: boolean
  skipped(error: unknown, failures: number): void
  warnOfRetry(error: unknown, what: string, failures: number, delay: number): void
  /** False where the place is lost. */
  park(error: unknown, attempts: number): Promise<boolean>
  /** False where the place is lost. */
  keepPlan(attempt: ProcessAttempt, record: ProcessRecord, commands: readonly PlannedCommand[]): Promise<boolean>
}

/** So often the commands of one event may be given up for others. */
const MOST_REPLACED = 100

/** Whether a command is dispatched instead of one that failed. */
function isInstead(key: string): boolean {
  return key.includes('.')
}

/** The commands that an event leads to, dispatched one after another. */
export class CommandSequence {
  readonly #turn: CommandTurn
  readonly #attempt: ProcessAttempt
  readonly #record: ProcessRecord
  readonly #state: unknown

  constructor(turn: CommandTurn, attempt: ProcessAttempt, record: ProcessRecord, state: unknown) {
    this.#turn = turn
    this.#attempt = attempt
    this.#record = record
    this.#state = state
  }

  /** Those that were dispatched; undefined where the event is given back. Rejects where a replay fails. */
  async run(planned: readonly PlannedCommand[]): Promise<readonly PlannedCommand[] | 'parked' | undefined> {
    const done: PlannedCommand[] = []
    let pending = planned
    let replaced = 0
    while (pending.length > 0) {
      const [next, ...rest] = pending as readonly [PlannedCommand, ...PlannedCommand[]]
      const decision = await this.#dispatch(next, rest)
      if (decision === undefined || this.#attempt.isOver()) return undefined
      if (decision === 'parked') return decision
      if (decision === 'dispatched') {
        done.push(next)
        pending = rest
        continue
      }
      pending = afterFailure(next, rest, decision)
      if (decision instanceof CommandAction && decision.commands !== undefined && ++replaced > MOST_REPLACED) {
        const { name } = this.#turn.services.model
        throw new InvalidOutcomeError(
          `${name}'s onError has given other commands ${MOST_REPLACED} times for one event, and each time one of them failed`,
        )
      }
      if (!(await this.#turn.keepPlan(this.#attempt, this.#record, [...done, ...pending]))) return undefined
    }
    return done
  }

  /** What becomes of those after it, where it is given up; undefined where the event is. */
  async #dispatch(
    { key, command }: PlannedCommand,
    rest: readonly PlannedCommand[],
  ): Promise<'dispatched' | 'parked' | ProcessAction | undefined> {
    const { services, instance, recorded } = this.#turn
    const attempt = this.#attempt
    const signal = attempt.timeSignal
    const commandId = instance.commandIds.idOf(recorded, key)
    // What makes good what failed has all the time it needs: the deadline may be what it failed by.
    const given = signal === undefined ? { commandId } : { commandId, signal }
    const options = carriedOptions(recorded, given, !isInstead(key))
    const handler = { handlerName: services.model.name, position: recorded.position }
    for (let failures = 1; ; failures++) {
      try {
        await services.dispatch(command, options, handler)
        return 'dispatched'
      } catch (error) {
        if (attempt.isOver()) return undefined
        if (isEdictError(error) && error.outcome === 'executed') {
          services.log('warn', error, recorded, `goes on: ${command.type} of ${instance.id} is executed`)
          return 'dispatched'
        }
        // A stop is no failure, and whoever has lost the place has no say any more.
        if (!(await services.mayGoOn())) return undefined
        attempt.pause()
        const action = await this.#decide(error, command, rest, failures)
        if (!(await services.mayGoOn())) return undefined
        if (action instanceof CommandAction) return action
        if (action.action === 'skip') {
          this.#turn.skipped(error, failures)
          services.log('warn', error, recorded, `goes on without ${command.type} of ${instance.id}`)
          return action
        }
        // A replay is not tried again by itself: the event stays parked.
        if (this.#turn.isReplay) throw error
        if (action.action === 'stop') {
          services.failed(error, recorded)
          return undefined
        }
        if (action.action === 'park') return (await this.#turn.park(error, failures)) ? 'parked' : undefined
        const delay = services.failures.delay(action, failures)
        this.#turn.warnOfRetry(error, `${command.type} after ${described(recorded)}`, failures, delay)
        if (!(await services.pause(delay)) || !(await services.mayGoOn())) return undefined
        attempt.goOn()
      }
    }
  }

  #decide(error: unknown, command: SealedMessage, rest: readonly PlannedCommand[], failures: number) {
    const { instance, recorded } = this.#turn
    const failure: ProcessFailure = {
      during: 'command',
      recorded: forAnotherReader(recorded),
      instanceId: instance.id,
      state: this.#state as object,
      // A sealed message that a command's definition made is one.
      command: command as unknown as Command,
      pending: rest.map((one) => one.command as unknown as Command),
    }
    return this.#turn.decide(error, failure, failures)
  }
}

function afterFailure(
  failed: PlannedCommand,
  rest: readonly PlannedCommand[],
  action: ProcessAction,
): readonly PlannedCommand[] {
  if (!(action instanceof CommandAction)) return []
  const { commands } = action
  return commands?.map((command, at) => ({ key: `${failed.key}.${at}`, command })) ?? rest
}
