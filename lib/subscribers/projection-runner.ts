import { idleTimer } from '../effects/clock.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import { DefinitionError, InvalidOptionError, NotRunningError } from '../errors.ts'
import { sharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import type { Publication } from '../event-store/projection-store.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { FailurePolicy } from './failure-policy.ts'
import { ProjectionLog } from './projection-log.ts'
import { ProjectionBuild } from './projection-build.ts'
import { GenerationRunner, type ProjectionSurroundings } from './projection-generation-runner.ts'
import { Generation } from './projection-generation.ts'
import type { ProjectionModel } from './projection-model.ts'
import { isOurs, isSuperseded, lookAt, successorOf } from './projection-publication.ts'
import { ProjectionStandby } from './projection-standby.ts'
import type { RunnerOptions } from './runner-options.ts'
import { STOP_TIMEOUT_MS } from './runner-times.ts'

export interface ProjectionRunnerOptions
  extends
    ProjectionSurroundings,
    Pick<RunnerOptions, 'board' | 'consistency' | 'retryPolicy' | 'stopTimeout' | 'claimInterval'> {}

/** Milliseconds between looks at what readers see, while another owner may change it. */
const LOOK_INTERVAL_MS = 500

/**
 * Runs one projection in one application: the generation that readers see, and the one that is to take its place, where the
 * definition's version has risen or a rebuild was asked for.
 */
export class ProjectionRunner {
  readonly name: string
  readonly #model: ProjectionModel
  readonly #options: ProjectionRunnerOptions
  readonly #log: ProjectionLog
  readonly #policy: FailurePolicy
  /** Runs what readers see; undefined where that is of another version. */
  #current: GenerationRunner | undefined
  #build: ProjectionBuild | undefined
  /** Follows what readers see, where another definition's runner writes it. */
  readonly #standby: ProjectionStandby
  /** The one that another owner has taken, or that a swap has ended. */
  #lost: Generation | undefined
  #supersededBy: string | undefined
  /** Counts the swaps made here: what was known of the store before one is not true any more. */
  #swaps = 0
  #cancelTimer: (() => void) | undefined
  #hasResumed = false
  #started = false
  #stopping: Promise<void> | undefined
  #failed = false
  #isAwaited = false
  #position = 0

  constructor(model: ProjectionModel, options: ProjectionRunnerOptions) {
    this.name = model.name
    this.#model = model
    const shared = options.shared ?? sharedCheckpoints(options)
    this.#options = { ...options, logger: containedLogger(options.logger), shared }
    this.#log = new ProjectionLog(model.name, this.#options)
    this.#standby = new ProjectionStandby({
      store: options.store,
      watch: shared.watch,
      progressed: (position) => {
        this.#progressed(position)
      },
      gone: () => {
        this.#considerLater()
      },
    })
    this.#policy = new FailurePolicy(model, options.retryPolicy ?? {}, options.application, options.random)
    // From the start on: a handler that starts earlier may dispatch a command that waits for this one.
    options.board.register(model.name, {
      consistency: model.consistency ?? options.consistency,
      types: model.types,
      awaited: (isAwaited) => {
        this.#isAwaited = isAwaited
        if (this.#current) this.#current.isAwaited = isAwaited
        this.#standby.isAwaited = isAwaited
      },
    })
  }

  /** Begins where it was. It has its place, or is trying to get it, when this is done; it may not have caught up. */
  async start(): Promise<void> {
    if (this.#started) return
    this.#started = true
    await this.#consider()
  }

  /** Lets the transactions that are under way end, and releases the checkpoints. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#clearTimer()
    this.#standby.end()
    const error = new NotRunningError(`the projection ${this.name} is stopped`)
    const runners = [this.#current, this.#build?.runner].filter((runner) => runner !== undefined)
    await Promise.all(runners.map((runner) => this.#stopRunner(runner)))
    this.#build?.failed(error)
    if (!this.#failed) this.#options.board.failed(this.name, error)
  }

  async #stopRunner(runner: GenerationRunner): Promise<void> {
    const { clock, stopTimeout = STOP_TIMEOUT_MS } = this.#options
    if (await waitAtMost(clock, stopTimeout, runner.stop())) return
    this.#log.stoppedWithin(stopTimeout, this.#position)
    await runner.abandon()
  }

  /** Builds a new generation of this version beside the one that readers see. Done when readers see it, whoever has built it. */
  async rebuild(): Promise<void> {
    if (!this.#started || this.#isOver()) {
      throw new NotRunningError(`the projection ${this.name} does not run here, so that it cannot be rebuilt`)
    }
    if (this.#build) return this.#build.done
    const swaps = this.#swaps
    const publication = await this.#published()
    // Meanwhile somebody else may have begun, or everything may have come to its end.
    if (swaps !== this.#swaps || this.#isBuilding() || this.#isOver()) return this.rebuild()
    if (this.#supersededBy !== undefined) {
      throw new NotRunningError(
        `the projection ${this.name} is superseded by ${this.#supersededBy}, so that it cannot be rebuilt here`,
      )
    }
    if (publication === undefined || !isOurs(this.#model, publication)) {
      throw new NotRunningError(`the projection ${this.name} is being made, so that it cannot be rebuilt yet`)
    }
    const build = this.#beginBuild(publication)
    await build.runner.start()
    return build.done
  }

  #isOver(): boolean {
    return this.#stopping !== undefined || this.#failed
  }

  #isBuilding(): boolean {
    return this.#build !== undefined
  }

  /** Finds out what is to be done here, and does it. */
  async #consider(): Promise<void> {
    try {
      const swaps = this.#swaps
      const publication = await this.#published()
      if (this.#isOver()) return
      if (swaps === this.#swaps) await this.#reconcile(publication)
      else await this.#consider()
    } catch (error) {
      if (this.#isOver()) return
      if (error instanceof DefinitionError || error instanceof InvalidOptionError) {
        this.#fail(error, undefined)
        return
      }
      this.#log.cannotLook(error)
      this.#considerLater()
    }
  }

  async #published(): Promise<Publication | undefined> {
    const { projections } = this.#options
    return projections.transaction((tx) => lookAt(projections, tx, this.#model))
  }

  /** Up to the first wait this sees, and leaves, everything in one state: swaps come in between two of these. */
  async #reconcile(publication: Publication | undefined): Promise<void> {
    this.#tellOfLoss(publication)
    if (publication !== undefined && isSuperseded(this.#model, publication)) return this.#giveWay(publication)
    this.#supersededBy = undefined
    const runsHere = publication === undefined || isOurs(this.#model, publication)
    const wanted = runsHere ? (publication?.generation ?? 1) : undefined
    const beginning: GenerationRunner[] = []
    if (this.#current?.generation.generation !== wanted || this.#current?.isOver) {
      void this.#current?.abandon()
      this.#current =
        wanted === undefined ? undefined : this.#makeRunner(new Generation(this.#model, wanted, publication))
      if (this.#current) {
        this.#current.isAwaited = this.#isAwaited
        beginning.push(this.#current)
      }
    }
    beginning.push(...this.#reconcileBuild(publication))
    for (const runner of beginning) await runner.start()
    if (publication === undefined || this.#isOver()) return
    if (!runsHere) return this.#follow(publication)
    this.#standby.end()
    await this.#resumeBuild(publication)
  }

  /** @returns whom to start */
  #reconcileBuild(publication: Publication | undefined): readonly GenerationRunner[] {
    const build = this.#build
    if (build === undefined) {
      if (publication === undefined || isOurs(this.#model, publication)) return []
      return [this.#beginBuild(publication).runner]
    }
    if (!build.isUpon(publication)) {
      this.#build = undefined
      void build.runner.abandon()
      build.overtakenBy(publication)
      // A new version still has to come, upon what took the place of the old one's tables.
      return this.#reconcileBuild(publication)
    }
    this.#considerLater()
    if (!build.runner.isOver) return []
    build.runner = this.#makeBuilder(build.base)
    return [build.runner]
  }

  #beginBuild(base: Publication): ProjectionBuild {
    const build = new ProjectionBuild(base, this.#makeBuilder(base))
    this.#build = build
    this.#log.buildBegan(build.runner.generation)
    this.#considerLater()
    return build
  }

  #makeBuilder(base: Publication): GenerationRunner {
    return this.#makeRunner(new Generation(this.#model, base.generation + 1), base)
  }

  /** `base` is what it is to take the place of; undefined where it is what readers see, or the first of all. */
  #makeRunner(generation: Generation, base?: Publication): GenerationRunner {
    const runner = new GenerationRunner(this.#model, generation, base, this.#policy, this.#options, {
      progressed: (position) => {
        if (this.#current === runner) this.#progressed(position)
      },
      published: () => {
        this.#swapped(runner)
      },
      outdated: (wasLost) => {
        if (wasLost) this.#lost = generation
        this.#considerLater()
      },
      failed: (error, recorded) => {
        if (this.#current === runner) this.#fail(error, recorded)
        else if (this.#build?.runner === runner) this.#buildFailed(this.#build, error, recorded)
      },
    })
    return runner
  }

  /** A rebuild that was under way when its owner ended goes on. */
  async #resumeBuild(publication: Publication): Promise<void> {
    if (this.#hasResumed || this.#isBuilding()) return
    // Once: a build that fails here is not to begin again by itself.
    this.#hasResumed = true
    const next = new Generation(this.#model, publication.generation + 1)
    const begun = await this.#options.store.readCheckpoint(next.checkpoint)
    if (begun === undefined || this.#isBuilding() || this.#isOver()) return
    await this.#beginBuild(publication).runner.start()
  }

  /** Another definition's runner writes what readers see: the older one's, while it is to be replaced, or a newer one's. */
  async #follow(publication: Publication): Promise<void> {
    // It may have been swapped in meanwhile.
    if (this.#current === undefined) await this.#standby.follow(publication)
  }

  /** What was built here is what readers see now. */
  #swapped(runner: GenerationRunner): void {
    const before = this.#current
    const build = this.#build
    // A look at the store may have told sooner what was published, and then another one runs it.
    if (build?.runner !== runner) return
    this.#swaps++
    this.#standby.end()
    this.#build = undefined
    this.#current = runner
    runner.isAwaited = this.#isAwaited
    void before?.abandon()
    this.#log.swapped(runner.generation)
    this.#progressed(runner.writer?.position ?? 0)
    build.published()
  }

  #considerLater(): void {
    if (this.#cancelTimer !== undefined || this.#isOver()) return
    const { clock, claimInterval = LOOK_INTERVAL_MS } = this.#options
    this.#cancelTimer = idleTimer(clock, claimInterval, () => {
      this.#cancelTimer = undefined
      void this.#consider()
    })
  }

  #clearTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #progressed(position: number): void {
    this.#position = Math.max(this.#position, position)
    this.#options.board.acknowledge(this.name, position)
  }

  /** An old node after the swap: what it would write is not what readers are to see. */
  async #giveWay(publication: Publication): Promise<void> {
    void this.#current?.abandon()
    void this.#build?.runner.abandon()
    this.#build?.overtakenBy(publication)
    this.#current = this.#build = undefined
    this.#tellOfSuccessor(publication)
    const successor = await successorOf(this.#options.projections, publication)
    if (this.#isOver()) return
    if (successor === undefined) this.#considerLater()
    else await this.#follow(successor)
  }

  #tellOfSuccessor(publication: Publication): void {
    const successor = publication.replacedBy ?? `version ${publication.version}`
    if (this.#supersededBy === successor) return
    this.#supersededBy = successor
    this.#log.superseded(publication)
  }

  /** A place is lost without another owner's doing too: the swap deletes that of the old generation. */
  #tellOfLoss(publication: Publication | undefined): void {
    const lost = this.#lost
    this.#lost = undefined
    if (lost === undefined) return
    const isBuilt = this.#build?.runner.generation === lost && this.#build.isUpon(publication)
    if (isBuilt || lost.isPublishedAs(publication)) this.#log.taken(lost.checkpoint)
  }

  #buildFailed(build: ProjectionBuild, error: unknown, recorded: RecordedEvent | undefined): void {
    this.#build = undefined
    build.failed(error)
    if (this.#current === undefined) this.#fail(error, recorded)
    else this.#log.failed('cannot be rebuilt, and the one that is read goes on', error, recorded)
  }

  #fail(error: unknown, recorded: RecordedEvent | undefined): void {
    if (this.#isOver()) return
    this.#log.failed('is STOPPED until it is started again', error, recorded)
    this.#options.telemetry?.tell('handler:stop', { handlerName: this.name, event: recorded, error })
    this.#end(error)
  }

  #end(error: unknown): void {
    this.#failed = true
    this.#clearTimer()
    this.#standby.end()
    this.#options.board.failed(this.name, error)
    void this.#current?.abandon()
    void this.#build?.runner.abandon()
    this.#build?.failed(error)
  }
}
