import { DefinitionError } from '../errors.ts'
import type { ProjectionStore, Publication } from '../event-store/projection-store.ts'
import type { ProjectionModel } from './projection-model.ts'

/**
 * What readers see of a projection: what it has published, or else what the one has that it replaces. Until the end of the
 * transaction nobody else changes either.
 */
export async function readPublished(
  projections: ProjectionStore,
  tx: unknown,
  { name, replaces }: Pick<ProjectionModel, 'name' | 'replaces'>,
): Promise<Publication | undefined> {
  if (replaces === undefined) return projections.readPublication(tx, name)
  const found = new Map<string, Publication | undefined>()
  // In one order, so that two who replace each other never wait for each other.
  for (const each of [name, replaces].sort()) found.set(each, await projections.readPublication(tx, each))
  const own = found.get(name)
  const replaced = found.get(replaces)
  if (own !== undefined && own.replacedBy === undefined) return own
  return replaced === undefined || replaced.replacedBy !== undefined ? own : replaced
}

/**
 * As `readPublished`, for who is about to do something about it.
 *
 * @throws {DefinitionError} where nothing can be done as the projection is defined
 */
export async function lookAt(
  projections: ProjectionStore,
  tx: unknown,
  model: ProjectionModel,
): Promise<Publication | undefined> {
  const publication = await readPublished(projections, tx, model)
  refuseChangedTables(model, publication)
  if (publication === undefined || !(isOurs(model, publication) || isSuperseded(model, publication))) {
    await refuseForeignTables(projections, tx, model, publication)
  }
  return publication
}

/** Whether what readers see is of this definition. */
export function isOurs({ name, version }: ProjectionModel, publication: Publication): boolean {
  return publication.name === name && publication.version === version && publication.replacedBy === undefined
}

/** The publication that stands where this one did, over all that have replaced it; undefined where that one was removed. */
export async function successorOf(
  projections: ProjectionStore,
  publication: Publication,
): Promise<Publication | undefined> {
  let last: Publication | undefined = publication
  while (last?.replacedBy !== undefined) {
    const replacedBy: string = last.replacedBy
    last = await projections.transaction((tx) => projections.readPublication(tx, replacedBy))
  }
  return last
}

/** Whether a definition is not the newest any more: then others run the projection. */
export function isSuperseded({ name, version }: ProjectionModel, publication: Publication): boolean {
  return publication.name === name && (publication.version > version || publication.replacedBy !== undefined)
}

/** @throws {DefinitionError} where what readers see was made by other statements than those of the same version here */
export function refuseChangedTables(model: ProjectionModel, publication: Publication | undefined): void {
  if (publication?.fingerprint === undefined || !isOurs(model, publication)) return
  if (publication.fingerprint === model.fingerprint) return
  throw new DefinitionError(`tables of ${model.name} changed, but its version is still ${model.version}: raise it`)
}

/** @throws {DefinitionError} where one of the tables belongs to another projection than the one that is replaced */
export async function refuseForeignTables(
  projections: ProjectionStore,
  tx: unknown,
  { name, tables }: Pick<ProjectionModel, 'name' | 'tables'>,
  base: Publication | undefined,
): Promise<void> {
  const views = [...tables.keys()]
  const owners = await projections.findPublications(tx, views)
  const other = owners.find((owner) => owner.name !== name && owner.name !== base?.name)
  if (other === undefined) return
  const table = views.find((view) => Object.hasOwn(other.tables, view)) ?? ''
  throw new DefinitionError(
    `the table ${table} belongs to the projection ${other.name} in this store: name another table, ` +
      `or, where ${name} is ${other.name} under a new name, give it replaces: '${other.name}'`,
  )
}
