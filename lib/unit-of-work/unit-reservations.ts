import { isReserved, movesBetween, reservations, type Move } from '../dispatch/reservations.ts'
import { UniqueValueTakenError } from '../errors.ts'
import type { EventStore, StreamAppend } from '../event-store/event-store.ts'
import type { UnitRoot } from './unit-root.ts'

const takers = new WeakMap<UniqueValueTakenError, UnitRoot>()

/** Whose value is taken, where a unit was to have it. */
export function takerOf(error: UniqueValueTakenError): UnitRoot | undefined {
  return takers.get(error)
}

interface RootMove {
  readonly root: UnitRoot
  readonly move: Move
}

/**
 * What is appended together with the events of several aggregates, so that the values that they have to themselves change hands. A value
 * may go from one of them to another.
 *
 * @throws {UniqueValueTakenError} `value_taken`
 */
export async function unitReservations(
  store: EventStore,
  roots: readonly UnitRoot[],
): Promise<readonly StreamAppend[]> {
  const moves = roots.flatMap(movesOf)
  if (moves.length === 0) return []
  const appends: StreamAppend[] = []
  for (const [root, own] of byRoot(handedOver(moves))) {
    const found = await reservations(store, own, reserving(root))
    if (found instanceof UniqueValueTakenError) throw takenFrom(root, found)
    appends.push(...found)
  }
  return appends
}

function movesOf(root: UnitRoot): readonly RootMove[] {
  const { model, tenant } = root.instance
  if (model.unique === undefined) return []
  return movesBetween(model.unique, tenant, root.loadedState, root.state).map((move) => ({ root, move }))
}

/** One fact for each value: where one aggregate gives up what another one takes, that it was taken. */
function handedOver(moves: readonly RootMove[]): readonly RootMove[] {
  const taken = new Map<string, RootMove>()
  for (const one of moves.filter(({ move }) => isReserved(move))) {
    const { move, root } = one
    if (taken.has(move.streamId)) throw takenFrom(root, new UniqueValueTakenError(commandOf(root), move.scope))
    taken.set(move.streamId, one)
  }
  const released = moves.filter(({ move }) => !isReserved(move))
  const givers = new Map(released.map(({ move, root }) => [move.streamId, root.streamId]))
  return [
    ...[...taken.values()].map(({ move, root }) => {
      const from = givers.get(move.streamId)
      return { root, move: from === undefined ? move : { ...move, from } }
    }),
    ...released.filter(({ move }) => !taken.has(move.streamId)),
  ]
}

function takenFrom(root: UnitRoot, error: UniqueValueTakenError): UniqueValueTakenError {
  takers.set(error, root)
  return error
}

function byRoot(moves: readonly RootMove[]): ReadonlyMap<UnitRoot, readonly Move[]> {
  const grouped = new Map<UnitRoot, Move[]>()
  for (const { root, move } of moves) grouped.set(root, [...(grouped.get(root) ?? []), move])
  return grouped
}

/** In the name of the last command that changed the aggregate. */
function reserving(root: UnitRoot): Parameters<typeof reservations>[2] {
  const source = root.runs.at(-1)?.source
  const { commandId = '', causationId = '', correlationId = '', now = 0 } = source ?? {}
  return {
    ...{ owner: root.streamId, commandType: commandOf(root), commandId, causationId, correlationId, now },
    deduplicate: false,
  }
}

function commandOf(root: UnitRoot): string {
  return root.runs.at(-1)?.source.command?.type ?? 'the unit of work'
}
