import type { CheckpointState } from '../event-store/checkpoint.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { ProjectionStore, Publication } from '../event-store/projection-store.ts'
import { beginningOf, checkpointOf } from './projection-generation.ts'
import { physicalTable } from './projection-statements.ts'

/** The place of one generation of a projection, whether anybody reads it or not. */
export interface GenerationPlace extends CheckpointState {
  readonly version: number
  readonly generation: number
}

/** All places of a projection, in the order of their names. */
export async function placesOf(
  store: Pick<EventStore, 'listCheckpoints'>,
  projection: string,
): Promise<readonly GenerationPlace[]> {
  const prefix = `${projection}:`
  const states = await store.listCheckpoints(prefix)
  return states.flatMap((state) => {
    // Another projection's name may begin as this one's places do.
    const [, version, generation] = /^(\d+)\.(\d+)$/.exec(state.name.slice(prefix.length)) ?? []
    if (version === undefined || generation === undefined) return []
    return [{ ...state, version: Number(version), generation: Number(generation) }]
  })
}

/** Deletes a place, which nobody can write from then on, and what a build has left under it. */
export async function dropPlace(
  projections: ProjectionStore,
  tx: unknown,
  projection: string,
  { name, version, generation }: GenerationPlace,
  views: Iterable<string>,
): Promise<void> {
  await projections.deleteCheckpoint(tx, name)
  await projections.unpublish(tx, beginningOf(projection, version, generation))
  await projections.dropTables(
    tx,
    Array.from(views, (view) => physicalTable(projection, view, version, generation)),
  )
}

export interface LeftBuildsOptions {
  readonly projections: ProjectionStore
  readonly store: Pick<EventStore, 'listCheckpoints'>
  /** What readers see now. */
  readonly published: Publication
  /** Whose place that has taken. */
  readonly base: Publication
  /** What cannot be dropped stays for the next time: somebody reads it, or has made a view upon it. */
  readonly failed: (checkpoint: string, error: unknown) => void
}

/** Drops the builds that were given up: once there is another generation to be read, nobody will go on with them. */
export async function dropLeftBuilds(options: LeftBuildsOptions): Promise<void> {
  const { projections, store, published, base, failed } = options
  const places = await placesOf(store, published.name)
  const views = new Set([...Object.keys(published.tables), ...Object.keys(base.tables)])
  for (const place of places) {
    // One of a later generation is being built upon what was just published, also where its owner is just starting anew.
    const isLeft = place.owner === undefined && place.generation <= published.generation
    if (!isLeft || place.name === checkpointOf(published)) continue
    try {
      await projections.transaction((tx) => dropPlace(projections, tx, published.name, place, views))
    } catch (error) {
      failed(place.name, error)
    }
  }
}
