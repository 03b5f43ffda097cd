import { randomUUID } from 'node:crypto'
import type { EventStore } from 'edict'
import type { ClaimedCommands, CommandQueueStore } from '../../lib/event-store/command-queue-store.ts'
import { over } from './planted-stores.ts'

/**
 * A bug of a queue, so that a spec can show that it would find it.
 * - `reversed`: the commands of an aggregate are given in the wrong order
 * - `done-before-run`: a command is written down as completed when it is taken, before it has run
 * - `fresh-ids`: the id of a command does not travel with it, so that a second attempt is another command
 */
export type QueuePlant = 'reversed' | 'done-before-run' | 'fresh-ids'

/** A store whose queue has a bug, or none. */
export function plantedQueue(store: EventStore, plant: QueuePlant | undefined): EventStore {
  const { commands } = store
  if (plant === undefined || commands === undefined) return store
  const claim: CommandQueueStore['claim'] = async (options) => changed(commands, plant, await commands.claim(options))
  const settle: CommandQueueStore['settle'] =
    plant === 'done-before-run' ? (settlements) => settlements.map(() => true) : (given) => commands.settle(given)
  return over(store, { commands: over(commands, { claim, settle }) })
}

async function changed(
  store: CommandQueueStore,
  plant: QueuePlant,
  { claims, nextIn }: ClaimedCommands,
): Promise<ClaimedCommands> {
  if (plant === 'reversed') {
    return { nextIn, claims: claims.map((claim) => ({ ...claim, commands: claim.commands.toReversed() })) }
  }
  if (plant === 'fresh-ids') {
    return {
      nextIn,
      claims: claims.map((claim) => ({
        ...claim,
        commands: claim.commands.map((command) => ({ ...command, commandId: randomUUID() })),
      })),
    }
  }
  for (const { streamId, lane, epoch, commands } of claims) {
    const hold = { streamId, lane, epoch }
    await store.settle(commands.map(({ commandId }) => ({ commandId, hold, state: 'completed', result: {} })))
  }
  return { nextIn, claims }
}
