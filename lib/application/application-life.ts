import type { PositionWaits } from '../dispatch/position-waits.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import {
  asEdictError,
  DefinitionError,
  NotRunningError,
  StoreError,
  describeThrown,
  isEdictError,
  type EdictError,
} from '../errors.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { attachRunning, type RunningApplication } from '../routing/running.ts'
import type { Routing } from '../routing/routing.ts'
import type { CheckedDefinition } from './definition.ts'
import { runningApplications } from './inside.ts'
import type { MiddlewareLife } from './middleware-life.ts'
import type { Runner } from './runners.ts'
import type { StoredCommands } from './stored-commands.ts'

/** How long `stop` waits for what does not end by itself, in milliseconds, before it goes on without. */
export const STOP_PATIENCE_MS = 5_000

type State = 'new' | 'starting' | 'running' | 'beginning-anew' | 'stopping' | 'stopped'

/** What lives and ends with an application. */
export interface ApplicationParts {
  readonly services: DispatchServices
  readonly dispatcher: Dispatcher
  readonly middleware: MiddlewareLife
  readonly stored: StoredCommands
  readonly waits: PositionWaits
  readonly routing: Routing
  /** As the routers see it while it runs. */
  readonly running: RunningApplication
  makeRunners(): readonly Runner[]
}

/** An application's life: started, stopped, begun anew, one change after another. */
export class ApplicationLife {
  readonly #definition: CheckedDefinition
  /** Some of them are made with its life in hand: `assembled` brings them. */
  #parts!: ApplicationParts
  #state: State = 'new'
  #changing: Promise<void> = Promise.resolve()
  #runners: readonly Runner[] = []
  #detach: (() => void)[] = []
  /** Whether a stop was asked for while it was starting. */
  #stopWasAsked = false
  #stopAsked: Promise<void> = Promise.resolve()
  #askToStop: () => void = () => undefined

  constructor(definition: CheckedDefinition) {
    this.#definition = definition
  }

  /** To be called once, before anything else. */
  assembled(parts: ApplicationParts): void {
    this.#parts = parts
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  /** Whether its handlers may not dispatch any more, either. */
  get isOver(): boolean {
    return this.#state === 'stopped'
  }

  /** Those who follow the events, while it runs. */
  get runners(): readonly Runner[] {
    return this.#runners
  }

  /** @throws {NotRunningError} `not_running` */
  mustRun(): void {
    if (this.#state !== 'running') throw this.notRunning()
  }

  async start(): Promise<void> {
    await this.#inTurn(() => this.#start())
  }

  /** Starts and stops come one after another, in the order of their calls. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(change)
    this.#changing = changed.catch(() => undefined)
    return changed
  }

  async #start(): Promise<void> {
    if (this.#state === 'running') return
    const { name } = this.#definition
    if (runningApplications.has(name)) {
      throw new DefinitionError(`an application named ${name} runs in this process already: give each its own name`)
    }
    runningApplications.set(name, this.#parts.running.self)
    this.#state = 'starting'
    this.#stopWasAsked = false
    this.#stopAsked = new Promise((resolve) => {
      this.#askToStop = () => {
        this.#stopWasAsked = true
        resolve()
      }
    })
    try {
      await this.#definition.store.open()
    } catch (error) {
      this.#ended()
      throw error
    }
    try {
      await this.#parts.middleware.start(this.#stopAsked)
      this.#refuseIfStopped()
      await this.#parts.services.follower?.start()
      this.#runners = this.#parts.makeRunners()
      await Promise.race([this.#startRunners(), this.#stopAsked])
      this.#refuseIfStopped()
    } catch (error) {
      await this.#close()
      throw error
    }
    const { routing, running, stored } = this.#parts
    this.#detach = routing.routers.map((router) => attachRunning(router, running))
    this.#state = 'running'
    stored.start()
  }

  #refuseIfStopped(): void {
    if (this.#stopWasAsked) throw this.notRunning()
  }

  async #startRunners(): Promise<void> {
    for (const runner of this.#runners) {
      if (this.#stopWasAsked) return
      await runner.start()
    }
  }

  stop(): Promise<void> {
    this.#refuseNewCommands()
    // A handler whose start hangs must not keep the application from stopping.
    if (this.#state === 'starting') this.#askToStop()
    return this.#inTurn(() => this.#stop())
  }

  #refuseNewCommands(): void {
    if (this.#state !== 'running') return
    this.#state = 'stopping'
    this.#detachRouters()
  }

  #detachRouters(): void {
    for (const detach of this.#detach.splice(0)) detach()
    this.#parts.waits.end(this.notRunning())
  }

  /** Commands first, since they may wait for handlers; then handlers, which may dispatch; then the commands of those. */
  async #stop(): Promise<void> {
    // It may have been starting when the call came.
    this.#refuseNewCommands()
    if (this.#state !== 'stopping') return
    await this.#parts.stored.stop(STOP_PATIENCE_MS)
    await this.#idle()
    await this.#close()
  }

  /** Waits for the commands under way, but not for ever: one may wait, without a bound, for a handler that hangs. */
  async #idle(): Promise<void> {
    await waitAtMost(this.#definition.clock, STOP_PATIENCE_MS, this.#parts.dispatcher.idle())
  }

  async #close(): Promise<void> {
    try {
      const notStopped = await this.#stopRunners()
      this.#parts.services.follower?.stop()
      let notTold: PromiseRejectedResult | undefined
      try {
        await this.#definition.store.close()
      } finally {
        notTold = await this.#parts.middleware.stop()
      }
      if (notStopped !== undefined) throw asStoreError(notStopped.reason)
      if (notTold !== undefined) throw asEdictError(notTold.reason, "a middleware's stopped")
    } finally {
      this.#ended()
    }
  }

  /** Handlers, which may dispatch, then the commands of those: what failed to stop, if anything did. */
  async #stopRunners(): Promise<PromiseRejectedResult | undefined> {
    const stopped = await Promise.allSettled(this.#runners.map((runner) => runner.stop()))
    await this.#idle()
    await waitAtMost(this.#definition.clock, STOP_PATIENCE_MS, this.#parts.services.snapshots.idle())
    return stopped.find((outcome) => outcome.status === 'rejected')
  }

  #ended(): void {
    this.#forget()
    this.#state = 'stopped'
    runningApplications.delete(this.#definition.name)
  }

  #forget(): void {
    for (const { name } of this.#runners) this.#parts.services.board.unregister(name)
    this.#runners = []
    // Who starts again may find what others wrote meanwhile.
    this.#parts.services.instances.clear()
  }

  /** Lets all that is under way end, does something while nothing runs, and begins anew with nothing in memory. */
  beginAnew(meanwhile: () => void): Promise<void> {
    return this.#inTurn(() => this.#beginAnew(meanwhile))
  }

  async #beginAnew(meanwhile: () => void): Promise<void> {
    if (this.#state !== 'running') throw this.notRunning()
    this.#state = 'beginning-anew'
    await this.#parts.stored.stop(STOP_PATIENCE_MS)
    await this.#idle()
    try {
      const failed = await this.#stopRunners()
      if (failed !== undefined) throw asStoreError(failed.reason)
      this.#forget()
      for (const { name, model } of this.#definition.handlers) {
        await model.beforeReset?.({ handlerName: name, application: this.#definition.name })
      }
      meanwhile()
      this.#runners = this.#parts.makeRunners()
      await this.#startRunners()
      this.#state = 'running'
      this.#parts.stored.start()
    } catch (error) {
      this.#detachRouters()
      await this.#close()
      throw error
    }
  }

  notRunning(): NotRunningError {
    const { name } = this.#definition
    switch (this.#state) {
      case 'beginning-anew':
        return new NotRunningError(`the application ${name} is being reset: await the reset before the dispatch`)
      case 'stopping':
      case 'stopped':
        return new NotRunningError(`the application ${name} has been stopped: await its start() to go on`)
      default:
        return new NotRunningError(
          `the application ${name} has not been started: await its start() before the dispatch`,
        )
    }
  }
}

function asStoreError(cause: unknown): EdictError {
  return isEdictError(cause)
    ? cause
    : new StoreError(`a handler could not be stopped: ${describeThrown(cause)}`, { cause })
}
