import type { Publication } from '../event-store/projection-store.ts'
import type { ProjectionModel } from './projection-model.ts'
import { physicalTable, tableStatements } from './projection-statements.ts'

/** One generation of a projection's tables: what it is called in the store, and how it is made. */
export class Generation implements Publication {
  readonly name: string
  readonly version: number
  readonly generation: number
  readonly tables: Readonly<Record<string, string>>
  readonly fingerprint: string
  /** What makes the tables. */
  readonly statements: readonly string[]

  /** `published` is what readers see, where this is that generation. */
  constructor(model: ProjectionModel, generation: number, published?: Publication) {
    this.name = model.name
    this.version = model.version
    this.generation = generation
    this.fingerprint = model.fingerprint
    const tables: Record<string, string> = {}
    const statements: string[] = []
    for (const [view, definition] of model.tables) {
      const table = published?.tables[view] ?? physicalTable(model.name, view, model.version, generation)
      tables[view] = table
      statements.push(...tableStatements(definition, table))
    }
    this.tables = tables
    this.statements = statements
  }

  /** The name of its checkpoint. */
  get checkpoint(): string {
    return checkpointOf(this)
  }

  /** Says what its tables were made by while nobody reads them, under a name that no projection can have. */
  get beginning(): Publication {
    const { name, version, generation, fingerprint } = this
    return { name: beginningOf(name, version, generation), version, generation, tables: {}, fingerprint }
  }

  /** Whether this is the generation that readers see. */
  isPublishedAs(publication: Publication | undefined): boolean {
    return publication !== undefined && isSame(this, publication)
  }
}

/** Where the place of a published generation is kept; of another version's too. */
export function checkpointOf({ name, version, generation }: Publication): string {
  return `${name}:${version}.${generation}`
}

/** Under which a generation that is built says what its tables were made by. */
export function beginningOf(name: string, version: number, generation: number): string {
  return `${name}#${version}.${generation}`
}

/** Whether two say the same generation, of one projection; undefined is nothing published yet. */
export function isSame(one: Publication | undefined, other: Publication | undefined): boolean {
  return one?.name === other?.name && one?.version === other?.version && one?.generation === other?.generation
}
