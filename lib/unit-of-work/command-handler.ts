import { modelOf, type Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape } from '../aggregate/aggregate-shape.ts'
import type { Constraint } from '../aggregate/type-error.ts'
import { keepExecutions } from '../dispatch/unit-executions.ts'
import { DefinitionError } from '../errors.ts'
import { sealedDefinitionOf } from '../messages/definition.ts'
import type { CommandDefinition, DataOf } from '../messages/message.ts'
import type { SealedDefinition } from '../messages/sealed-message.ts'
import { keepCommandHandlerBody, type CommandHandlerBody } from '../routing/command-handler-body.ts'
import type { CommandHandler, HandleCheck } from '../routing/command-handler-type.ts'
import type { UnitHandlerContext } from './unit-context.ts'
import { UnitExecution } from './unit-execution.ts'

/** A function for each command, which loads aggregates, has them decide, and adds what is to be stored. */
export type UnitHandlers<Definition extends CommandDefinition> = {
  readonly [One in Definition as One['type']]?: (data: Readonly<DataOf<One>>, context: UnitHandlerContext) => unknown
} & Constraint

/**
 * Defines command handlers that load and persist aggregates (Protean's). Each runs in a unit of work of its own, which commits when the
 * handler is done, and is run again from the start where somebody else wrote to one of its aggregates meanwhile. What a handler
 * returns is the caller's `reply`; `reject(…)` refuses the command.
 *
 * @example
 * const accountHandler = commandHandler(BankAccount, {
 *   commands: [DepositMoney],
 *   handle: {
 *     async DepositMoney({ accountNumber, amount }, { repository }) {
 *       const root = await repository.get(BankAccount, accountNumber)
 *       root.raise(MoneyDeposited({ accountNumber, amount }))
 *       repository.add(root)
 *       return root.state.balance
 *     },
 *   },
 * })
 * router('bank', (bank) => bank
 *   .identify(BankAccount, { by: 'accountNumber' })
 *   .dispatch([DepositMoney], { to: accountHandler }))
 *
 * @param aggregate whose identity the commands have: they take their turns on it, and are its stream's for their ids
 * @throws {DefinitionError} `invalid_definition`, naming what is missing or unknown
 */
export function commandHandler<
  Name extends string,
  Shape extends AggregateShape,
  const Definition extends CommandDefinition,
  Handle extends UnitHandlers<Definition>,
>(
  aggregate: Aggregate<Name, Shape>,
  definition: {
    readonly commands: readonly Definition[]
    readonly handle: Handle & HandleCheck<Handle, Definition>
    /**
     * Whether one command may persist several aggregates, all of them or none. Needs a store with `atomicStreams`.
     * @default false
     */
    readonly multipleAggregates?: boolean
  },
): CommandHandler<Name, Shape, Definition, Handle> {
  return define(aggregate, definition) as CommandHandler<Name, Shape, Definition, Handle>
}

const KEYS = ['commands', 'handle', 'multipleAggregates']

function define(aggregate: unknown, given: unknown): object {
  const model = modelOf(aggregate)
  if (model === undefined) throw new DefinitionError('commandHandler(aggregate, …) needs an aggregate(…)')
  const who = `the command handler of ${model.name}`
  if (given === null || typeof given !== 'object') throw new DefinitionError(`${who} needs { commands, handle }`)
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key))
  if (unknown !== undefined) throw new DefinitionError(`${who} has no ${unknown}; it has ${KEYS.join(', ')}`)
  const { commands, handle, multipleAggregates = false } = given as Readonly<Record<string, unknown>>
  if (typeof multipleAggregates !== 'boolean') {
    throw new DefinitionError(`${who}: multipleAggregates must be true or false`)
  }
  const known = checkedCommands(who, commands)
  const table = checkedTable(who, handle, known)
  const body: CommandHandlerBody = {
    ...{ aggregate: model, commands: known, multipleAggregates },
    handle: ({ type, data }, context) => table.get(type)?.(data, context),
  }
  // It was looked for in `checkedCommands`.
  const value = Object.freeze({ aggregate, commands: Object.freeze([...(commands as readonly unknown[])]) })
  keepCommandHandlerBody(value, body)
  keepExecutions(body, (...of) => new UnitExecution(...of))
  return value
}

function checkedCommands(who: string, commands: unknown): ReadonlyMap<string, SealedDefinition> {
  if (!Array.isArray(commands) || commands.length === 0) throw new DefinitionError(`${who}: commands must be a list`)
  const known = new Map<string, SealedDefinition>()
  for (const definition of commands) {
    const sealed = sealedDefinitionOf(definition)
    if (sealed?.kind !== 'command') throw new DefinitionError(`${who}: commands holds something that is no command(…)`)
    if (known.has(sealed.type)) throw new DefinitionError(`${who}: the command ${sealed.type} is listed twice`)
    known.set(sealed.type, sealed)
  }
  return known
}

type Handle = (data: unknown, context: unknown) => unknown

function checkedTable(
  who: string,
  table: unknown,
  commands: ReadonlyMap<string, SealedDefinition>,
): ReadonlyMap<string, Handle> {
  if (table === null || typeof table !== 'object') {
    throw new DefinitionError(`${who}: handle must be a table of functions by command type`)
  }
  const functions = new Map(Object.entries(table) as [string, unknown][])
  for (const type of commands.keys()) {
    if (typeof functions.get(type) !== 'function') throw new DefinitionError(`${who} has no function for ${type}`)
  }
  const extra = [...functions.keys()].find((type) => !commands.has(type))
  if (extra !== undefined) throw new DefinitionError(`${who} has ${extra}, which is not among its commands`)
  // Each is a function; what it takes is the business of its type.
  return functions as ReadonlyMap<string, Handle>
}
