import type { MaybePromise } from '../effects/maybe-promise.ts'
import { DeadlineExceededError, describeThrown } from '../errors.ts'
import { EventIdSeed } from '../messages/event-id.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { carriedOptions } from '../subscribers/carried-options.ts'
import type { EventHandlerContext } from '../subscribers/handler-context.ts'
import type { HandleEvent } from '../subscribers/handler-model.ts'
import type { RunnerOptions } from '../subscribers/runner-options.ts'
import { runningEventHandler } from '../subscribers/running-event-handler.ts'
import type { BatchRunner, TriggeredCommand } from './batch-type.ts'
import { Scheduler } from './scheduler.ts'
import type { BackgroundBody } from './workflow-body.ts'
import { asHandler, type HandleInWorkflow, type WorkflowModel } from './workflow-model.ts'

/** A workflow as an event handler, whose commands for one event are one batch: before the event counts as handled. */
export function backgroundWorkflow(model: WorkflowModel, definition: object): Omit<BackgroundBody, 'makeBatches'> {
  const none: HandleEvent = () => undefined
  return {
    kind: 'background',
    model,
    handler: asHandler(
      model,
      definition,
      ofEach(model, () => none),
    ),
    makeRunner: (options, batches) => {
      const turns = new BackgroundTurns(model.name, options, batches)
      return runningEventHandler(asHandler(model, definition, ofEach(model, turns.handling)), options)
    },
  }
}

function ofEach(
  { handleByType }: WorkflowModel,
  handling: (handle: HandleInWorkflow) => HandleEvent,
): ReadonlyMap<string, HandleEvent> {
  return new Map([...handleByType].map(([type, handle]) => [type, handling(handle)]))
}

class BackgroundTurns {
  readonly #name: string
  readonly #options: Pick<RunnerOptions, 'logger'>
  readonly #batches: BatchRunner
  readonly #ids: EventIdSeed

  constructor(name: string, options: RunnerOptions, batches: BatchRunner) {
    this.#name = name
    this.#options = options
    this.#batches = batches
    this.#ids = new EventIdSeed(`edict.workflow-${name}`)
  }

  readonly handling =
    (handle: HandleInWorkflow): HandleEvent =>
    async (data, recorded, context) => {
      const afterCommit: (() => MaybePromise<unknown>)[] = []
      const commands = await this.#scheduledBy(handle, data, recorded, context, afterCommit)
      if (commands.length > 0 && !(await this.#runInTime(commands, recorded, context.signal))) return
      for (const work of afterCommit) await this.#contained(work)
    }

  /** False where the deadline that the event inherits has passed: nothing is to come of it any more, and no attempt would change that. */
  async #runInTime(
    commands: readonly TriggeredCommand[],
    recorded: RecordedEvent,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { position } = recorded
    try {
      await this.#batches.run(commands, carriedOptions(recorded, { signal }), { handlerName: this.#name, position })
      return true
    } catch (error) {
      if (!(error instanceof DeadlineExceededError) || error.outcome !== 'not-executed') throw error
      const what = `what the workflow ${this.#name} scheduled at ${position} is not run: the deadline of its event has passed`
      this.#options.logger.warn(
        { handler: this.#name, position, commands: commands.map(({ command }) => command.type) },
        what,
      )
      return false
    }
  }

  async #scheduledBy(
    handle: HandleInWorkflow,
    data: unknown,
    recorded: RecordedEvent,
    { application, signal }: EventHandlerContext<unknown>,
    afterCommit: (() => MaybePromise<unknown>)[],
  ): Promise<readonly TriggeredCommand[]> {
    const commands: TriggeredCommand[] = []
    const scheduler = new Scheduler(`the workflow ${this.#name}`, (given) => {
      const made = given.map((command, at) => ({
        command: this.#batches.check(command),
        // An event that comes again makes the same commands, which are answered as they were the first time.
        commandId: this.#ids.eventId(`${recorded.eventId}/${recorded.index}`, commands.length + at),
      }))
      commands.push(...made)
      return Object.freeze({
        commands: Object.freeze(made.map(({ command, commandId }) => ({ type: command.type, commandId }))),
        depth: 1,
      })
    })
    try {
      await handle(data, recorded, {
        executeCommands: scheduler.executeCommands,
        afterCommit: (work) => {
          scheduler.mustGoOn('afterCommit')
          afterCommit.push(work)
        },
        ...{ signal, application, workflowName: this.#name, isDryRun: false },
      })
    } finally {
      scheduler.end()
    }
    return commands
  }

  async #contained(work: () => MaybePromise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const what = `what the workflow ${this.#name} does after the commit failed: ${describeThrown(error)}`
      this.#options.logger.error({ err: error, handler: this.#name }, what)
    }
  }
}
