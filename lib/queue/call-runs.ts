import type { PreparedDispatch } from '../dispatch/dispatcher.ts'
import { CommandInterruptedError, StoreError, describeThrown, isEdictError } from '../errors.ts'
import type { NewQueuedCommand, QueuedCommand } from '../event-store/command-queue-store.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { completed, tookEffect } from './command-run.ts'
import type { QueueServices } from './queue-services.ts'
import type { Settler } from './settler.ts'
import { storedFailure } from './stored-failure.ts'
import { limitsIn, type RunLimits } from './stored-options.ts'
import { endingOfCall, type Ending } from './verdict.ts'

/** So much longer than its timeout a command may take that its caller runs: middleware and the stores are not on its clock. Milliseconds. */
const GRACE_MS = 10_000
/** So much longer than the wait for handlers. Milliseconds. */
const GRACE_AFTER_WAIT_MS = 5_000
const NO_LIMITS: RunLimits = { timeout: 0, consistency: 'eventual', consistencyTimeout: 0 }

interface CallRunsOptions extends QueueServices {
  readonly settler: Settler
}

/** Commands that were stored and are run by their callers, at once. */
export class CallRuns {
  readonly #options: CallRunsOptions
  /** Those of this process, by command id. */
  readonly #running = new Map<string, Promise<ExecutionResult>>()

  constructor(options: CallRunsOptions) {
    this.#options = options
  }

  /** The run of a command in this process; undefined where there is none. */
  running(commandId: string): Promise<ExecutionResult> | undefined {
    return this.#running.get(commandId)
  }

  /** Resolves when those that run now are over, and what came of them is stored. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values())
  }

  /** Runs a command that is stored as its caller's, and stores what came of it. */
  run(command: NewQueuedCommand, prepared: PreparedDispatch, given: DispatchOptions): Promise<ExecutionResult> {
    const { commandId } = command
    const run = this.#run(command, prepared, given).finally(() => {
      this.#running.delete(commandId)
    })
    this.#running.set(commandId, run)
    return run
  }

  async #run(command: NewQueuedCommand, prepared: PreparedDispatch, given: DispatchOptions): Promise<ExecutionResult> {
    const { dispatcher } = this.#options
    const { commandId } = command
    let result: ExecutionResult
    try {
      result = await dispatcher.dispatch(prepared.command, { ...given, commandId, metadata: command.metadata })
    } catch (thrown) {
      await this.#failed(command, thrown)
      throw thrown
    }
    await this.#completed(command, result)
    return result
  }

  async #completed(command: NewQueuedCommand, result: ExecutionResult): Promise<void> {
    try {
      await this.#settle(command.commandId, completed(this.#options, asStored(command), result))
    } catch (cause) {
      throw new StoreError(
        `${command.type} took effect, but that it did could not be stored beside it: ${describeThrown(cause)}`,
        { cause, outcome: 'executed', executionResult: result },
      )
    }
  }

  /** The caller is told of what the command failed by, whatever becomes of writing it down. */
  async #failed(command: NewQueuedCommand, thrown: unknown): Promise<void> {
    const tookPlace = isEdictError(thrown) && thrown.outcome === 'executed'
    const ending = tookPlace
      ? tookEffect(this.#options, asStored(command), thrown).ending
      : endingOfCall(thrown, command)
    try {
      await this.#settle(command.commandId, ending)
    } catch (err) {
      const { logger } = this.#options.dispatching
      logger.error({ err, commandId: command.commandId }, `the failure of ${command.type} could not be stored`)
    }
  }

  async #settle(commandId: string, ending: Ending): Promise<void> {
    await this.#options.settler.settle({ commandId, hold: undefined, ...ending })
  }

  /** Milliseconds until a command that a caller runs somewhere is taken for one whose caller died; Infinity where none is. */
  async patienceWith(command: QueuedCommand): Promise<number> {
    const { timeout, wait } = this.#limitsOf(command)
    if (timeout === Infinity) return Infinity
    const ran = (await this.#options.commands.now()) - command.changedAt
    if (wait !== Infinity) return Math.max(0, timeout + Math.max(GRACE_MS, wait) - ran)
    // Only what is committed may still wait for handlers, for ever.
    const left = Math.max(0, timeout + GRACE_MS - ran)
    return left === 0 && (await this.#isCommitted(command)) ? Infinity : left
  }

  async #isCommitted({ streamId, commandId }: QueuedCommand): Promise<boolean> {
    const events = await this.#options.dispatching.store.readCommand(streamId, commandId)
    return events.length > 0
  }

  /** How long it may take until it is committed, and then wait for handlers. */
  #limitsOf({ type, options }: QueuedCommand): { readonly timeout: number; readonly wait: number } {
    const { dispatcher, dispatching } = this.#options
    const { timeout, consistency, consistencyTimeout } = limitsIn(
      options,
      dispatcher.planFor(type)?.defaults ?? NO_LIMITS,
    )
    // That an event is marked as synchronous is known to its caller alone; then only a wait without an end is not waited for.
    const mayWait =
      consistency !== 'eventual' || dispatching.eventProcessing === 'sync' || consistencyTimeout !== Infinity
    return { timeout, wait: mayWait ? consistencyTimeout + GRACE_AFTER_WAIT_MS : 0 }
  }

  /** The caller of a command did not live to tell how it ended: it is a dead letter from now on, and may be sent again. */
  async interrupted({ commandId, type }: QueuedCommand): Promise<void> {
    const failure = storedFailure(new CommandInterruptedError(type, commandId))
    await this.#settle(commandId, { state: 'dead', failure, failed: true })
  }
}

/** What of a stored command is looked at here, it has from the start. */
function asStored(command: NewQueuedCommand): QueuedCommand {
  const nothingYet = { position: 0, dueAt: 0, attempts: 0, failure: undefined, result: undefined }
  return { ...command, ...nothingYet, state: 'running', enqueuedAt: 0, changedAt: 0 }
}
