import { idleTimer, isInTime } from '../effects/clock.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import type { Logger } from '../effects/logger.ts'
import { NotRunningError, describeThrown } from '../errors.ts'
import type { Publication } from '../event-store/projection-store.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { FailurePolicy } from './failure-policy.ts'
import { described, logFailure, outdated } from './projection-log.ts'
import type { HandlerRunnerOptions, HandlerState } from './handler-runner.ts'
import { ProjectionBuild } from './projection-build.ts'
import { GenerationRunner, type ProjectionSurroundings } from './projection-generation-runner.ts'
import { Generation, checkpointOf } from './projection-generation.ts'
import type { ProjectionModel } from './projection-model.ts'

export interface ProjectionRunnerOptions
  extends
    ProjectionSurroundings,
    Pick<HandlerRunnerOptions, 'board' | 'consistency' | 'retryPolicy' | 'stopTimeout' | 'claimInterval'> {}

/** Milliseconds between looks at what readers see, while another owner may change it. */
const LOOK_INTERVAL_MS = 500
const STOP_TIMEOUT_MS = 5_000

/**
 * Runs one projection in one application: the generation that readers see, and the one that is to take its place, where the
 * definition's version has risen or a rebuild was asked for.
 */
export class ProjectionRunner {
  readonly name: string
  readonly #model: ProjectionModel
  readonly #options: ProjectionRunnerOptions
  readonly #logger: Logger
  readonly #policy: FailurePolicy
  /** Runs what readers see; undefined where that is of another version. */
  #current: GenerationRunner | undefined
  #build: ProjectionBuild | undefined
  /** Counts the swaps made here: what was known of the store before one is not true any more. */
  #swaps = 0
  #timer: { readonly handle: unknown } | undefined
  #hasResumed = false
  #started = false
  #stopping: Promise<void> | undefined
  #failed = false
  #lastError: unknown
  #isAwaited = false
  #position = 0

  constructor(model: ProjectionModel, options: ProjectionRunnerOptions) {
    this.name = model.name
    this.#model = model
    this.#options = { ...options, logger: containedLogger(options.logger) }
    this.#logger = this.#options.logger
    this.#policy = new FailurePolicy(model, options.retryPolicy ?? {}, options.application, options.random)
    // From the start on: a handler that starts earlier may dispatch a command that waits for this one.
    options.board.register(model.name, {
      consistency: model.consistency ?? options.consistency,
      types: model.types,
      awaited: (isAwaited) => {
        this.#isAwaited = isAwaited
        if (this.#current) this.#current.isAwaited = isAwaited
      },
    })
  }

  get state(): HandlerState {
    if (this.#failed) return 'failed'
    if (!this.#started || this.#stopping) return 'stopped'
    const runner = this.#current ?? this.#build?.runner
    if (runner === undefined || runner.isOver || runner.state === 'claiming' || runner.state === 'ended')
      return 'starting'
    return runner.writer?.isRetrying ? 'retrying' : runner.state
  }

  /** Every event up to here is in what readers see, or does not interest the projection. */
  get position(): number {
    return this.#position
  }

  /** How many positions the projection is behind what is known of the store. */
  get lag(): number {
    return Math.max(0, this.#options.hub.headPosition - this.#position)
  }

  /** What the projection failed with last; undefined where it never did. */
  get lastError(): unknown {
    return this.#lastError ?? this.#current?.writer?.lastError
  }

  /** How often the event in hand has failed. */
  get failures(): number {
    return this.#current?.writer?.failures ?? 0
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
    const error = new NotRunningError(`the projection ${this.name} is stopped`)
    const runners = [this.#current, this.#build?.runner].filter((runner) => runner !== undefined)
    await Promise.all(runners.map((runner) => this.#stopRunner(runner)))
    this.#build?.failed(error)
    if (!this.#failed) this.#options.board.failed(this.name, error)
  }

  async #stopRunner(runner: GenerationRunner): Promise<void> {
    const { clock, stopTimeout = STOP_TIMEOUT_MS } = this.#options
    if (await isInTime(runner.stop(), clock, stopTimeout)) return
    this.#logger.error(
      { projection: this.name, position: this.#position },
      `the projection ${this.name} did not end its transaction within ${stopTimeout} ms; it is stopped without it`,
    )
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
    if (publication?.version !== this.#model.version) {
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
      this.#logger.warn(
        { projection: this.name, error },
        `the projection ${this.name} cannot look at its tables, and tries again: ${describeThrown(error)}`,
      )
      this.#considerLater()
    }
  }

  async #published(): Promise<Publication | undefined> {
    const { projections } = this.#options
    return projections.transaction((tx) => projections.readPublication(tx, this.name))
  }

  /** Up to the first wait this sees, and leaves, everything in one state: swaps come in between two of these. */
  async #reconcile(publication: Publication | undefined): Promise<void> {
    const { version } = this.#model
    if (publication !== undefined && publication.version > version) {
      this.#retire(publication)
      return
    }
    const isOurs = publication === undefined || publication.version === version
    const wanted = isOurs ? (publication?.generation ?? 1) : undefined
    const beginning: GenerationRunner[] = []
    if (this.#current?.generation.generation !== wanted || this.#current?.isOver) {
      void this.#current?.abandon()
      this.#current = wanted === undefined ? undefined : this.#makeRunner(wanted)
      if (this.#current) {
        this.#current.isAwaited = this.#isAwaited
        beginning.push(this.#current)
      }
    }
    beginning.push(...this.#reconcileBuild(publication))
    for (const runner of beginning) await runner.start()
    if (publication === undefined || this.#isOver()) return
    if (isOurs) await this.#resumeBuild(publication)
    else await this.#follow(publication)
  }

  /** @returns whom to start */
  #reconcileBuild(publication: Publication | undefined): readonly GenerationRunner[] {
    const build = this.#build
    if (build === undefined) {
      if (publication === undefined || publication.version === this.#model.version) return []
      return [this.#beginBuild(publication).runner]
    }
    if (!build.isUpon(publication)) {
      this.#build = undefined
      void build.runner.abandon()
      build.overtakenBy(publication)
      return []
    }
    this.#considerLater()
    if (!build.runner.isOver) return []
    build.runner = this.#makeRunner(build.base.generation + 1, build.base)
    return [build.runner]
  }

  #beginBuild(base: Publication): ProjectionBuild {
    const build = new ProjectionBuild(base, this.#makeRunner(base.generation + 1, base))
    this.#build = build
    const { version, generation } = build.runner.generation
    this.#logger.info(
      { projection: this.name, version, generation },
      `the projection ${this.name} is built anew beside the one that is read`,
    )
    this.#considerLater()
    return build
  }

  /** `base` is what it is to take the place of; undefined where it is what readers see, or the first of all. */
  #makeRunner(number: number, base?: Publication): GenerationRunner {
    const generation = new Generation(this.#model, number)
    const runner = new GenerationRunner(this.#model, generation, base, this.#policy, this.#options, {
      progressed: (position) => {
        if (this.#current === runner) this.#progressed(position)
      },
      published: () => {
        this.#swapped(runner)
      },
      outdated: () => {
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

  /** While a new version is built, nodes of the old one may go on with what readers see. */
  async #follow(publication: Publication): Promise<void> {
    const checkpoint = await this.#options.store.readCheckpoint(checkpointOf(publication))
    if (checkpoint !== undefined && this.#current === undefined) this.#progressed(checkpoint.position)
  }

  /** What was built here is what readers see now. */
  #swapped(runner: GenerationRunner): void {
    const before = this.#current
    const build = this.#build
    // A look at the store may have told sooner what was published, and then another one runs it.
    if (build?.runner !== runner) return
    this.#swaps++
    this.#build = undefined
    this.#current = runner
    runner.isAwaited = this.#isAwaited
    void before?.abandon()
    const { version, generation } = runner.generation
    this.#logger.info(
      { projection: this.name, version, generation },
      `the projection ${this.name} was swapped: readers see generation ${generation}, of version ${version}`,
    )
    this.#progressed(runner.writer?.position ?? 0)
    build.published()
  }

  #considerLater(): void {
    if (this.#timer !== undefined || this.#isOver()) return
    const { clock, claimInterval = LOOK_INTERVAL_MS } = this.#options
    this.#timer = idleTimer(clock, claimInterval, () => {
      this.#timer = undefined
      void this.#consider()
    })
  }

  #clearTimer(): void {
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer.handle)
    this.#timer = undefined
  }

  #progressed(position: number): void {
    this.#position = Math.max(this.#position, position)
    this.#options.board.acknowledge(this.name, position)
  }

  /** An old node after the swap: what it would write is not what readers are to see. */
  #retire({ version }: Publication): void {
    const error = outdated(this.#model, version)
    this.#logger.warn({ projection: this.name, version, application: this.#options.application }, error.message)
    this.#end(error)
  }

  #buildFailed(build: ProjectionBuild, error: unknown, recorded: RecordedEvent | undefined): void {
    this.#build = undefined
    build.failed(error)
    if (this.#current === undefined) this.#fail(error, recorded)
    else this.#log('cannot be rebuilt, and the one that is read goes on', error, recorded)
  }

  #fail(error: unknown, recorded: RecordedEvent | undefined): void {
    if (this.#isOver()) return
    this.#log('is STOPPED until it is started again', error, recorded)
    this.#end(error)
  }

  #end(error: unknown): void {
    this.#failed = true
    this.#lastError = error
    this.#clearTimer()
    this.#options.board.failed(this.name, error)
    void this.#current?.abandon()
    void this.#build?.runner.abandon()
    this.#build?.failed(error)
  }

  #log(what: string, error: unknown, recorded: RecordedEvent | undefined): void {
    const where = recorded ? `failed at ${described(recorded)}, and ` : ''
    logFailure(this.#options, this.name, 'error', `${where}${what}`, error, recorded)
  }
}
