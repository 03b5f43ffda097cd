import { silencedPromise } from '../effects/refuse-promise.ts'
import { InvalidOutcomeError } from '../errors.ts'
import { SealedMessage, type SealedDefinition } from '../messages/sealed-message.ts'
import { NO_EVENTS, type Decision } from './decision.ts'
import type { Apply } from './apply.ts'
import { MultiSteps } from './multi-steps.ts'
import { Rejection } from './rejection.ts'
import { ReplyWith } from './reply-with.ts'

/** What settling needs of an aggregate. */
export interface Settling {
  readonly name: string
  owns(definition: SealedDefinition): boolean
  readonly apply: Apply
}

/**
 * Turns what user code returned (an event, a list, nothing, a rejection, a multi, a reply) into a decision, or says what is wrong
 * with it.
 *
 * `who` says whose return value it is, for messages: `'BankAccount.execute of OpenAccount'`.
 */
export function settle(
  model: Settling,
  state: unknown,
  outcome: unknown,
  who: string,
  mayReply = false,
): Decision | Rejection {
  if (outcome === undefined) return { events: NO_EVENTS, state, reply: undefined }
  const definition = SealedMessage.definitionOf(outcome)
  if (definition !== undefined) {
    const event = outcome as SealedMessage
    if (!model.owns(definition)) throw foreign(model, event, who)
    // What is stored is Edict's alone, also where user code keeps the event, or `apply` writes into its bytes.
    const events = [SealedMessage.handedOver(event)]
    return { events, state: model.apply(state, event), reply: undefined }
  }
  if (outcome instanceof Rejection) return outcome
  if (Array.isArray(outcome)) return settleList(model, state, outcome, who)
  if (outcome instanceof MultiSteps) return settleMulti(model, state, outcome, who)
  if (outcome instanceof ReplyWith) {
    if (!mayReply) throw new InvalidOutcomeError(`${who} returned reply(…): only a command handler replies`)
    const settled = settle(model, state, outcome.outcome, who)
    return settled instanceof Rejection ? settled : { ...settled, reply: outcome.value }
  }
  throw garbage(outcome, who)
}

function settleList(model: Settling, state: unknown, list: readonly unknown[], who: string): Decision {
  try {
    const events: SealedMessage[] = []
    let next = state
    for (const item of list) {
      const definition = SealedMessage.definitionOf(item)
      if (definition === undefined) throw garbage(item, `${who}, in its list,`)
      const event = item as SealedMessage
      if (!model.owns(definition)) throw foreign(model, event, who)
      events.push(SealedMessage.handedOver(event))
      next = model.apply(next, event)
    }
    return { events, state: next, reply: undefined }
  } catch (error) {
    // Mostly of an asynchronous `map`: the first promise is refused, all of them may fail later.
    for (const item of list) silencedPromise(item)
    throw error
  }
}

/** Runs the steps of a multi, each on the state that the ones before it left: all or nothing. */
function settleMulti(model: Settling, state: unknown, multi: MultiSteps, who: string): Decision | Rejection {
  if (multi.state !== state) {
    throw new InvalidOutcomeError(`${who} began its multi with another state than the one that it was given`)
  }
  const events: SealedMessage[] = []
  // Without a prototype, as a step may have any name.
  const named = Object.create(null) as Record<string, unknown>
  let current = state
  for (const step of multi.steps) {
    const items = step.items ?? ONCE
    for (const item of items) {
      const settled = settle(model, current, step.run(current, item, named), who)
      if (settled instanceof Rejection) return settled
      // Not by spreading: a list of any length would lie on the stack.
      for (const event of settled.events) events.push(event)
      current = settled.state
    }
    if (step.name !== undefined) named[step.name] = current
  }
  return { events, state: current, reply: undefined }
}

const ONCE: readonly unknown[] = [undefined]

function foreign(model: Settling, message: SealedMessage, who: string): InvalidOutcomeError {
  const kind = SealedMessage.definitionOf(message)?.kind
  if (kind === 'command') return new InvalidOutcomeError(`${who} returned the command ${message.type}, not an event`)
  return new InvalidOutcomeError(`${who} returned ${message.type}, which is not among the events of ${model.name}`)
}

function garbage(outcome: unknown, who: string): InvalidOutcomeError {
  if (silencedPromise(outcome)) {
    return new InvalidOutcomeError(
      `${who} returned a promise: execute is synchronous, asynchronous work belongs in a command handler`,
    )
  }
  const kind = outcome === null ? 'null' : Array.isArray(outcome) ? 'a list' : `a value of type ${typeof outcome}`
  return new InvalidOutcomeError(
    `${who} returned ${kind}: it must return an event, a list of events, nothing, reject(…) or multi(…)`,
  )
}
