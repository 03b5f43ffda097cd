import { DefinitionError, InvalidOptionError, describeThrown } from '../errors.ts'
import type { CheckpointClaim } from '../event-store/checkpoint.ts'
import type { ProjectionStore, Publication } from '../event-store/projection-store.ts'
import { isSame, type Generation } from './projection-generation.ts'
import type { ProjectionModel } from './projection-model.ts'
import { readPublished, refuseChangedTables, refuseForeignTables } from './projection-publication.ts'

export interface PreparationOptions {
  readonly projections: ProjectionStore
  readonly model: ProjectionModel
  readonly generation: Generation
  /** What it is to take the place of; undefined where it is what readers see, or the first of all. */
  readonly base: Publication | undefined
  readonly claim: CheckpointClaim
}

/**
 * - `published`: readers see it
 * - `building`: its tables are there, and nobody reads them yet
 * - `changed`: it was begun with other tables, which are gone: it has to be begun anew
 * - `unwanted`: it is lost, or readers see something else than what it was to take the place of
 */
export type Prepared = 'published' | 'building' | 'changed' | 'unwanted'

/**
 * Makes the tables of a generation, where they are not there yet, for the owner of its checkpoint.
 *
 * @throws {DefinitionError} `invalid_definition` where they cannot be made as they are defined, or are another projection's
 */
export async function prepareGeneration(tx: unknown, options: PreparationOptions): Promise<Prepared> {
  const { projections, model, generation, base, claim } = options
  const publication = await readPublished(projections, tx, model)
  const held = await projections.lockCheckpoint(tx, generation.checkpoint, claim.epoch)
  if (held === undefined) return 'unwanted'
  refuseChangedTables(model, publication)
  if (generation.isPublishedAs(publication)) return 'published'
  const tables = Object.values(generation.tables)
  if (!isSame(publication, base)) {
    await dropBuild(tx, options)
    return 'unwanted'
  }
  await refuseForeignTables(projections, tx, model, base)
  if (base !== undefined && (await isChanged(tx, options))) {
    await dropBuild(tx, options)
    return 'changed'
  }
  if (held.position === model.startAfter && held.index === 0) {
    // Nothing was projected yet: whether the tables are there or not, they are as good as new.
    await projections.dropTables(tx, tables)
    for (const statement of generation.statements) await execute(tx, options, statement)
  }
  if (base !== undefined) {
    await projections.publish(tx, generation.beginning)
    return 'building'
  }
  await projections.publish(tx, generation)
  return 'published'
}

/** Whether a build that was interrupted was begun by a definition whose tables were others. */
async function isChanged(
  tx: unknown,
  { projections, generation: { beginning } }: PreparationOptions,
): Promise<boolean> {
  const begun = await projections.readPublication(tx, beginning.name)
  return begun !== undefined && begun.fingerprint !== beginning.fingerprint
}

async function dropBuild(tx: unknown, { projections, generation }: PreparationOptions): Promise<void> {
  await projections.dropTables(tx, Object.values(generation.tables))
  await projections.deleteCheckpoint(tx, generation.checkpoint)
  await projections.unpublish(tx, generation.beginning.name)
}

async function execute(tx: unknown, { projections, model }: PreparationOptions, statement: string): Promise<void> {
  try {
    await projections.execute(tx, statement)
  } catch (cause) {
    // A connection that is lost, or a lock that is held, says nothing of the statement.
    if (!(cause instanceof InvalidOptionError)) throw cause
    throw new DefinitionError(`the tables of the projection ${model.name} cannot be made: ${describeThrown(cause)}`, {
      cause,
    })
  }
}
