import type { CheckpointState } from '../event-store/checkpoint.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { ProjectionStore } from '../event-store/projection-store.ts'
import { beginningOf } from './projection-generation.ts'
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
