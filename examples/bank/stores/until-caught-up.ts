import { setTimeout as pause } from 'node:timers/promises'
import type { EventStore } from 'edict'

interface Follower {
  readonly name: string
  readonly events: readonly { readonly type: string }[]
}

/**
 * Resolves when each of these has handled every event that is stored for it, those among them that they lead to themselves.
 * Dispatches with strong consistency have waited for their own; what an earlier run left behind, killed before its rows were
 * written, nobody has waited for yet, nor for the rest of a transfer.
 *
 * @throws Error where that takes longer than so many milliseconds
 */
export async function untilCaughtUp(
  eventStore: EventStore,
  followers: readonly Follower[],
  milliseconds: number,
): Promise<void> {
  const end = performance.now() + milliseconds
  for (;;) {
    // One that leads to events comes before those that follow them.
    const behind = await firstBehind(eventStore, followers)
    if (behind === undefined) return
    if (performance.now() > end) throw new Error(`${behind.name} has not handled all events within ${milliseconds} ms`)
    await pause(10)
  }
}

async function firstBehind(eventStore: EventStore, followers: readonly Follower[]): Promise<Follower | undefined> {
  for (const follower of followers) {
    const last = await lastPosition(eventStore, new Set(follower.events.map(({ type }) => type)))
    // The place of a projection stands under a longer name.
    const places = await eventStore.listCheckpoints(follower.name)
    if (last > 0 && !places.some(({ position }) => position >= last)) return follower
  }
  return undefined
}

/** That of the last event of some types. */
async function lastPosition(eventStore: EventStore, types: ReadonlySet<string>): Promise<number> {
  let fromPosition = await eventStore.headPosition()
  while (fromPosition > 0) {
    const { events, lastPosition: looked } = await eventStore.readAll({
      types,
      fromPosition,
      direction: 'backward',
      maxCount: 1,
    })
    const [last] = events
    if (last !== undefined) return last.position
    fromPosition = looked - 1
  }
  return 0
}
