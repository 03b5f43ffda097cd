import { Immer, enableMapSet } from 'immer'
import { silencedPromise } from '../effects/refuse-promise.ts'
import { InvalidOutcomeError, UnreadableEventError } from '../errors.ts'
import { SealedMessage, type SealedDefinition } from '../messages/sealed-message.ts'
import { frozenState } from './frozen-state.ts'

/** What is applied: a made event or a stored one. */
export interface AppliedEvent {
  readonly type: string
  readonly data: unknown
}

/** From a frozen state and one event to the next frozen state. */
export type Apply = (state: unknown, event: AppliedEvent) => unknown

export type ApplyTable = Readonly<Record<string, (draft: unknown, data: unknown) => unknown>>
export type ApplyFunction = (state: unknown, event: AppliedEvent) => unknown

enableMapSet()
// Edict freezes what a recipe gives by itself: a state is frozen whoever made it, and only its new parts are walked.
const immer = new Immer({ autoFreeze: false })
immer.setUseStrictIteration(false)

/**
 * The functions of a table, each on an Immer draft of its own. One draft for one event: a draft shared over several would show user
 * code other objects than folding the stored stream does later.
 */
export function applyByTable(aggregate: string, table: ApplyTable): Apply {
  const functions = new Map(Object.entries(table))
  return (state, { type, data }) => {
    const apply = functions.get(type)
    if (apply === undefined) throw unknownEvent(aggregate, type)
    return settled(
      aggregate,
      type,
      immer.produce(state, (draft: unknown) => apply(draft, data)),
      state,
    )
  }
}

/** One pure function for all events, which pays nothing for Immer. It always sees an event as `execute` made it. */
export function applyByFunction(
  aggregate: string,
  events: ReadonlyMap<string, SealedDefinition>,
  apply: ApplyFunction,
): Apply {
  return (state, event) => {
    const made = event instanceof SealedMessage ? event : remade(aggregate, events, event)
    return settled(aggregate, event.type, apply(state, made), state)
  }
}

function remade(
  aggregate: string,
  events: ReadonlyMap<string, SealedDefinition>,
  { type, data }: AppliedEvent,
): SealedMessage {
  const definition = events.get(type)
  if (definition === undefined) throw unknownEvent(aggregate, type)
  return new SealedMessage(definition, data)
}

function settled(aggregate: string, type: string, state: unknown, before: unknown): unknown {
  if (silencedPromise(state)) {
    throw new InvalidOutcomeError(`${aggregate}'s apply of ${type} gave a promise: apply is synchronous`)
  }
  if (state === undefined) {
    throw new InvalidOutcomeError(`${aggregate}'s apply of ${type} gave no state: return the next state`)
  }
  return frozenState(state, before)
}

function unknownEvent(aggregate: string, type: string): UnreadableEventError {
  return new UnreadableEventError(
    `${aggregate} has no event ${type}, which its stream holds: list it in events, or give the application an upcaster for it`,
  )
}
