import type { RunnerOptions } from './runner-options.ts'

/** What runs a projection in an application. */
export interface RunningProjection {
  readonly name: string
  start(): unknown
  stop(): Promise<void>
  /** Settles when the tables that were built anew are those that readers see. */
  rebuild(): Promise<void>
}

/**
 * What an application sees of a projection. A projection brings what runs it, so that an application without one does not carry it.
 */
export interface ProjectionBody {
  readonly name: string
  /** Those of its events. */
  readonly types: ReadonlySet<string>
  /** Which kind of store it is made for; undefined where any that has projections will do. */
  readonly storeKind: string | undefined
  /** The names that its readers use. */
  readonly tables: readonly string[]
  /** The projection whose place it takes. */
  readonly replaces: string | undefined
  readonly makeRunner: (options: RunnerOptions) => RunningProjection
}

const bodies = new WeakMap<object, ProjectionBody>()

export function keepProjectionBody(projection: object, body: ProjectionBody): void {
  bodies.set(projection, body)
}

/** What `projection` prepared; undefined where the value is no projection. */
export function projectionBodyOf(projection: unknown): ProjectionBody | undefined {
  return typeof projection === 'object' && projection !== null ? bodies.get(projection) : undefined
}
