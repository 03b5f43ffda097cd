import type { Publication } from '../event-store/projection-store.ts'
import type { ProjectionModel } from './projection-model.ts'

/** One generation of a projection's tables: what it is called in the store, and how it is made. */
export class Generation implements Publication {
  readonly name: string
  readonly version: number
  readonly generation: number
  readonly tables: Readonly<Record<string, string>>
  /** What makes the tables. */
  readonly statements: readonly string[]

  constructor(model: ProjectionModel, generation: number) {
    this.name = model.name
    this.version = model.version
    this.generation = generation
    const tables: Record<string, string> = {}
    const statements: string[] = []
    for (const [view, definition] of model.tables) {
      // The version is part of the name: nodes of two versions may build at the same time.
      const table = `${view}_${model.version}_${generation}`
      tables[view] = table
      if (typeof definition === 'string') statements.push(`CREATE TABLE ${table} (${definition})`)
      else statements.push(...[definition(table)].flat())
    }
    this.tables = tables
    this.statements = statements
  }

  /** The name of its checkpoint. */
  get checkpoint(): string {
    return checkpointOf(this)
  }

  /** Whether this is the generation that readers see. */
  isPublishedAs(publication: Publication | undefined): boolean {
    return publication?.version === this.version && publication.generation === this.generation
  }
}

/** Where the place of a published generation is kept; of another version's too. */
export function checkpointOf({ name, version, generation }: Publication): string {
  return `${name}:${version}.${generation}`
}
