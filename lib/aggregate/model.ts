import { refusePromise } from '../effects/refuse-promise.ts'
import { DefinitionError } from '../errors.ts'
import { sealedDefinitionOf } from '../messages/definition.ts'
import { isReserved } from '../messages/reserved.ts'
import type { SealedDefinition, SealedMessage } from '../messages/sealed-message.ts'
import { applyByFunction, applyByTable, type AppliedEvent, type Apply, type ApplyTable } from './apply.ts'
import type { Decision } from './decision.ts'
import type { ExecutionContext } from './execution-context.ts'
import { frozenState } from './frozen-state.ts'
import type { Rejection } from './rejection.ts'
import { settle } from './settle.ts'
import { UniqueRules } from './unique.ts'

/** What `aggregate` was given, before it is checked. */
export interface AggregateDefinition {
  readonly name: string
  readonly commands: readonly unknown[]
  readonly events: readonly unknown[]
  readonly initialState: () => unknown
  readonly execute: unknown
  readonly apply: unknown
  readonly unique?: unknown
}

/** Up to so many definitions are found faster in a list than in a map. */
const FEW = 8

type Execute = (state: unknown, command: SealedMessage, context: ExecutionContext) => unknown
type ExecuteTable = Readonly<Record<string, (state: unknown, data: unknown, context: ExecutionContext) => unknown>>

/** The run-time of an aggregate, without its types: what dispatch works with. Pure; holds no instance. */
export class AggregateModel {
  readonly name: string
  readonly commands: ReadonlyMap<string, SealedDefinition>
  readonly events: ReadonlyMap<string, SealedDefinition>
  /** From a frozen state and one event, made or stored, to the next frozen state. */
  readonly apply: Apply
  /** Undefined where no value of its state has to be unique. */
  readonly unique: UniqueRules | undefined
  readonly #execute: Execute
  readonly #initialState: () => unknown
  readonly #eventDefinitions: readonly SealedDefinition[]

  constructor(definition: AggregateDefinition) {
    const { name } = definition
    if (typeof name !== 'string' || name.trim() === '') {
      throw new DefinitionError('aggregate(name, …) needs its name as a non-empty string')
    }
    if (isReserved(name)) {
      throw new DefinitionError(`names of aggregates that begin with "edict." are reserved: ${name}`)
    }
    this.name = name
    this.commands = byType(name, 'command', definition.commands)
    this.events = byType(name, 'event', definition.events)
    this.#eventDefinitions = [...this.events.values()]
    if (typeof definition.initialState !== 'function') {
      throw new DefinitionError(`${name}: initialState must be a function that gives the state of a new ${name}`)
    }
    this.#initialState = definition.initialState
    this.#execute = executeOf(name, definition.execute, this.commands)
    this.unique = definition.unique === undefined ? undefined : new UniqueRules(name, definition.unique)
    this.apply = applyOf(name, definition.apply, this.events)
  }

  initialState(): unknown {
    return frozenState(refusePromise(this.#initialState(), `${this.name}'s initialState`))
  }

  /** Whether an event of the aggregate was made by this definition. */
  owns(definition: SealedDefinition): boolean {
    const { length } = this.#eventDefinitions
    return length <= FEW ? this.#eventDefinitions.includes(definition) : this.events.get(definition.type) === definition
  }

  /** Runs `execute`: what it throws is thrown. */
  execute(state: unknown, command: SealedMessage, context: ExecutionContext): unknown {
    return this.#execute(state, command, context)
  }

  /** Makes a decision of what user code returned. `who` says whose it is, for messages. */
  settle(state: unknown, outcome: unknown, who: string, mayReply = false): Decision | Rejection {
    return settle(this, state, outcome, who, mayReply)
  }

  fold(state: unknown, events: Iterable<AppliedEvent>): unknown {
    let next = frozenState(state)
    for (const event of events) next = this.apply(next, event)
    return next
  }
}

function byType(aggregate: string, kind: 'command' | 'event', definitions: unknown): Map<string, SealedDefinition> {
  if (!Array.isArray(definitions)) throw new DefinitionError(`${aggregate}: ${kind}s must be a list of definitions`)
  const found = new Map<string, SealedDefinition>()
  for (const definition of definitions) {
    const sealed = sealedDefinitionOf(definition)
    if (sealed?.kind !== kind) throw new DefinitionError(`${aggregate}: ${kind}s holds something that is no ${kind}(…)`)
    if (found.has(sealed.type)) throw new DefinitionError(`${aggregate}: the ${kind} ${sealed.type} is listed twice`)
    found.set(sealed.type, sealed)
  }
  return found
}

function executeOf(aggregate: string, execute: unknown, commands: ReadonlyMap<string, SealedDefinition>): Execute {
  if (typeof execute === 'function') return execute as Execute
  const table = checkedTable(aggregate, 'execute', execute, commands) as ExecuteTable
  const functions = new Map(Object.entries(table))
  return (state, command, context) => functions.get(command.type)?.(state, command.data, context)
}

function applyOf(aggregate: string, apply: unknown, events: ReadonlyMap<string, SealedDefinition>): Apply {
  // What it takes and gives is the business of its type; here it is only known to be a function.
  if (typeof apply === 'function') return applyByFunction(aggregate, events, apply as never)
  return applyByTable(aggregate, checkedTable(aggregate, 'apply', apply, events) as ApplyTable)
}

function checkedTable(
  aggregate: string,
  member: 'execute' | 'apply',
  table: unknown,
  definitions: ReadonlyMap<string, SealedDefinition>,
): object {
  if (table === null || typeof table !== 'object') {
    throw new DefinitionError(`${aggregate}: ${member} must be a function or a table of functions by type`)
  }
  for (const type of definitions.keys()) {
    if (!Object.hasOwn(table, type) || typeof (table as Record<string, unknown>)[type] !== 'function') {
      throw new DefinitionError(`${aggregate}: ${member} has no function for ${type}`)
    }
  }
  for (const type of Object.keys(table)) {
    if (!definitions.has(type)) throw new DefinitionError(`${aggregate}: ${member} has ${type}, which is not listed`)
  }
  return table
}
