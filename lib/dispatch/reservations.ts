import { claimStream, UNIQUE_CATEGORY, type UniqueRules } from '../aggregate/unique.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { StreamClosedError, UniqueValueTakenError } from '../errors.ts'
import type { EventStore, StreamAppend, StreamAppendResult, StreamSlice } from '../event-store/event-store.ts'
import { factOf, ownFact, type FactOrigin } from '../event-store/own-facts.ts'
import { EventIdSeed } from '../messages/event-id.ts'

const RESERVED = 'edict.ValueReserved'
const RELEASED = 'edict.ValueReleased'

/** Whose values they are, and for which command they change hands. */
export interface Reserving extends FactOrigin {
  /** The stream of the aggregate. */
  readonly owner: string
  /** For messages. */
  readonly commandType: string
  /** Whether the command's id was given by its caller, and may have committed before. */
  readonly deduplicate: boolean
}

/** A value that a command gives to its aggregate, or takes from it. */
export interface Move {
  readonly streamId: string
  readonly scope: string
  readonly type: typeof RESERVED | typeof RELEASED
  /** The stream of the aggregate that gives it up by the same append; nobody's by default. */
  readonly from?: string
}

/** Whether a move gives a value to its aggregate. */
export function isReserved(move: Move): boolean {
  return move.type === RESERVED
}

/** Which values change hands between two states; empty for most commands. */
export function movesBetween(
  rules: UniqueRules,
  tenant: string | undefined,
  before: unknown,
  after: unknown,
): readonly Move[] {
  const held = rules.claims(before, tenant)
  const wanted = rules.claims(after, tenant)
  const moves: Move[] = []
  for (const [claim, scope] of wanted) {
    if (!held.has(claim)) moves.push({ streamId: claimStream(claim), scope, type: RESERVED })
  }
  for (const [claim, scope] of held) {
    if (!wanted.has(claim)) moves.push({ streamId: claimStream(claim), scope, type: RELEASED })
  }
  return moves
}

/**
 * What has to be appended, together with the events of the aggregate, for values to change hands: at the versions that their streams
 * are at, so that of two who want one value a store lets through only one. Nothing for a value that is where it should be
 * already. The error where another aggregate has one of them.
 */
export function reservations(
  store: EventStore,
  moves: readonly Move[],
  source: Reserving,
): MaybePromise<readonly StreamAppend[] | UniqueValueTakenError> {
  const found = moves.map((move) => reservation(store, move, source))
  return found.some(isPromiseLike)
    ? Promise.all(found.map((one) => Promise.resolve(one))).then(together)
    : together(found as readonly Found[])
}

/** Whether somebody was first, as it turns out when it is looked at again; undefined too where that cannot be read. */
export async function takenMeanwhile(
  lookAgain: () => MaybePromise<unknown>,
): Promise<UniqueValueTakenError | undefined> {
  try {
    const found = await lookAgain()
    return found instanceof UniqueValueTakenError ? found : undefined
  } catch (error) {
    return error instanceof UniqueValueTakenError ? error : undefined
  }
}

type Found = StreamAppend | UniqueValueTakenError | undefined

function together(found: readonly Found[]): readonly StreamAppend[] | UniqueValueTakenError {
  const taken = found.find((one) => one instanceof UniqueValueTakenError)
  return taken ?? found.filter((one): one is StreamAppend => one !== undefined)
}

function reservation(store: EventStore, move: Move, source: Reserving): MaybePromise<Found> {
  const last = store.readStream(move.streamId, { direction: 'backward', maxCount: 1 })
  return isPromiseLike(last)
    ? Promise.resolve(last).then((slice) => decided(store, move, source, slice))
    : decided(store, move, source, last)
}

function decided(store: EventStore, move: Move, source: Reserving, slice: StreamSlice): MaybePromise<Found> {
  const { state, streamVersion } = slice
  if (state === 'archived' || state === 'deleted') throw new StreamClosedError(move.streamId, state)
  const holder = holderOf(slice)
  if (move.type === RELEASED) {
    // It may be older than the rule that makes it unique, and never have been reserved.
    return holder === source.owner ? moveAt(move, source, streamVersion) : undefined
  }
  if (holder === source.owner) return undefined
  if (holder === undefined || holder === move.from) return moveAt(move, source, streamVersion)
  const info = store.readStreamInfo(holder)
  // What is deleted stays deleted, so that this cannot change before the append.
  const judged = (owner: Awaited<typeof info>): Found =>
    owner?.state === 'deleted'
      ? moveAt(move, source, streamVersion)
      : new UniqueValueTakenError(source.commandType, move.scope)
  return isPromiseLike(info) ? Promise.resolve(info).then(judged) : judged(info)
}

/** The stream that has the value, as the last of its facts says. */
function holderOf({ events: [last] }: StreamSlice): string | undefined {
  if (last?.type !== RESERVED) return undefined
  // Written by `moveAt`.
  return factOf(last)['owner'] as string
}

function moveAt(move: Move, source: Reserving, expectedVersion: number): StreamAppend {
  const { streamId, scope, type } = move
  const { owner, deduplicate } = source
  // A command id is unique in its own stream only; here the commands of many streams meet.
  const commandId = new EventIdSeed(owner).eventId(source.commandId, 0)
  const eventId = new EventIdSeed(streamId).eventId(commandId, 0)
  const fact = ownFact(type, eventId, { scope, owner }, { ...source, commandId })
  return { streamId, category: UNIQUE_CATEGORY, expectedVersion, events: [fact], deduplicate }
}

/** The other way round, of what a command got though it had committed before. */
export function undoing(
  moved: readonly StreamAppend[],
  results: readonly StreamAppendResult[],
  source: Reserving,
): readonly StreamAppend[] {
  return moved.flatMap((append, index) => {
    const result = results[index]
    const [fact] = append.events
    if (result?.status !== 'appended' || fact === undefined) return []
    const type = fact.type === RESERVED ? RELEASED : RESERVED
    // Written by `moveAt`.
    const scope = factOf(fact)['scope'] as string
    return [moveAt({ streamId: append.streamId, scope, type }, source, result.streamVersion)]
  })
}
