import { NotRunningError } from '../errors.ts'
import type { Publication } from '../event-store/projection-store.ts'
import type { GenerationRunner } from './projection-generation-runner.ts'
import { isSame } from './projection-generation.ts'

/** A generation that is to take the place of the one that readers see, whoever builds it in the end. */
export class ProjectionBuild {
  readonly base: Publication
  /** Done when readers see it. */
  readonly done: Promise<void>
  runner: GenerationRunner
  #resolve!: () => void
  #reject!: (error: unknown) => void

  constructor(base: Publication, runner: GenerationRunner) {
    this.base = base
    this.runner = runner
    this.done = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Who does not wait for it is told by the log.
    this.done.catch(() => undefined)
  }

  /** Whether it is still to take the place of what readers see. */
  isUpon(publication: Publication | undefined): boolean {
    return isSame(publication, this.base)
  }

  published(): void {
    this.#resolve()
  }

  failed(error: unknown): void {
    this.#reject(error)
  }

  /** Readers see something else than what it was to take the place of: itself, mostly, by another owner's doing. */
  overtakenBy(publication: Publication | undefined): void {
    const { name, version, generation } = this.runner.generation
    if (publication?.name === name && publication.version === version && publication.generation >= generation)
      this.#resolve()
    else
      this.#reject(new NotRunningError(`the rebuild of the projection ${name} was overtaken by another version of it`))
  }
}
