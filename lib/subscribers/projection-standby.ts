import type { CheckpointWatch, Following } from '../event-store/checkpoint-watch.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { Publication } from '../event-store/projection-store.ts'
import { checkpointOf } from './projection-generation.ts'

export interface ProjectionStandbyOptions {
  readonly store: Pick<EventStore, 'readCheckpoint'>
  readonly watch: CheckpointWatch
  /** Every event up to a position is in what readers see. */
  readonly progressed: (position: number) => void
  /** The place is given up: readers see something else. */
  readonly gone: () => void
}

/** Follows the place of tables that another definition writes, so that those who wait here for the projection wait for that one. */
export class ProjectionStandby {
  readonly #options: ProjectionStandbyOptions
  #followed: { readonly checkpoint: string; readonly following: Following } | undefined
  #isAwaited = false

  constructor(options: ProjectionStandbyOptions) {
    this.#options = options
  }

  /** Whether somebody waits: then it is looked at often. */
  set isAwaited(awaited: boolean) {
    this.#isAwaited = awaited
    if (this.#followed) this.#followed.following.isClose = awaited
  }

  /** Follows this one until `end`, in place of what it followed before. */
  async follow(publication: Publication): Promise<void> {
    const { store, watch, progressed, gone } = this.#options
    const checkpoint = checkpointOf(publication)
    if (this.#followed?.checkpoint === checkpoint) return
    this.end()
    const following = watch.follow({
      prefix: checkpoint,
      seen: (states) => {
        const state = states.find(({ name }) => name === checkpoint)
        if (state !== undefined) {
          progressed(state.position)
          return
        }
        this.end()
        gone()
      },
    })
    following.isClose = this.#isAwaited
    const followed = { checkpoint, following }
    this.#followed = followed
    const place = await store.readCheckpoint(checkpoint)
    if (place !== undefined && this.#followed === followed) progressed(place.position)
  }

  end(): void {
    this.#followed?.following.end()
    this.#followed = undefined
  }
}
