import type { AggregateModel } from '../aggregate/model.ts'
import { RouterDefinitionError, describeThrown, type EdictErrorOptions } from '../errors.ts'
import { sealedDefinitionOf } from '../messages/definition.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import { frozenMetadata } from '../event-store/frozen-metadata.ts'
import type { SealedDefinition } from '../messages/sealed-message.ts'
import { isWhole } from '../messages/whole-number.ts'
import type { CommandHandlerBody } from './command-handler-body.ts'
import { checkedLifespan, type Lifespan } from './lifespan.ts'
import type { Route, RouteOptions } from './route.ts'

// The checks of what a registration was given; all of them fail where the router is defined.

const OPTIONS: ReadonlySet<string> = new Set([
  'to',
  'aggregate',
  'identity',
  'timeout',
  'consistency',
  'retryAttempts',
  'beforeExecute',
  'metadata',
  'lifespan',
])

/** How commands find their aggregate: a key of their data, or a function of it. */
export interface IdentityRule {
  readonly identityOf: (data: unknown) => unknown
  readonly identityName: string
}

export function invalid(router: string, message: string, options?: EdictErrorOptions): RouterDefinitionError {
  return new RouterDefinitionError('invalid_registration', `router ${router}: ${message}`, options)
}

/** @throws {RouterDefinitionError} `invalid_identity_definition` where `by` is neither a key nor a function */
export function identityRule(router: string, aggregate: string, by: unknown): IdentityRule {
  if (typeof by === 'function') return { identityOf: by as (data: unknown) => unknown, identityName: 'identity()' }
  if (typeof by === 'string' && by !== '') {
    return {
      identityOf: (data) =>
        data !== null && typeof data === 'object' && Object.hasOwn(data, by)
          ? (data as Record<string, unknown>)[by]
          : undefined,
      identityName: by,
    }
  }
  throw new RouterDefinitionError(
    'invalid_identity_definition',
    `router ${router}: ${aggregate} must be identified by a key of its commands or by a function of their data`,
  )
}

/** @throws {RouterDefinitionError} `invalid_identity_definition` where the prefix is, or gives, no text */
export function prefixText(router: string, aggregate: string, given: unknown): string {
  const wrong = (why: string, options?: EdictErrorOptions) =>
    new RouterDefinitionError(
      'invalid_identity_definition',
      `router ${router}: the prefix of ${aggregate} ${why}`,
      options,
    )
  let prefix: unknown = given ?? ''
  if (typeof prefix === 'function') {
    if (prefix.length > 0) throw wrong('is a function that wants arguments, and there are none to give')
    try {
      prefix = (prefix as () => unknown)()
    } catch (cause) {
      throw wrong(`is a function that threw: ${describeThrown(cause)}`, { cause })
    }
  }
  if (typeof prefix === 'string') return prefix
  throw wrong('must be a text, or a function that gives one')
}

export function checkedOptionKeys(router: string, options: unknown): Readonly<Record<string, unknown>> {
  if (options === null || typeof options !== 'object')
    throw invalid(router, 'dispatch(commands, options) needs its options')
  for (const key of Object.keys(options)) {
    if (!OPTIONS.has(key)) throw invalid(router, `dispatch has no option ${key}; it has ${[...OPTIONS].join(', ')}`)
  }
  return options as Readonly<Record<string, unknown>>
}

/** The command definitions of one registration. */
export function checkedCommands(router: string, commands: unknown): readonly object[] {
  const list: readonly unknown[] = Array.isArray(commands) ? commands : [commands]
  if (list.length === 0) throw invalid(router, 'dispatch needs one command definition or more')
  for (const definition of list) {
    if (sealedDefinitionOf(definition)?.kind !== 'command') {
      throw invalid(router, 'dispatch takes command definitions, and something else was among them')
    }
  }
  return list as readonly object[]
}

export type RouteHandler = NonNullable<Route['handler']>

/** The handler of each command type: undefined where the aggregate itself executes it. */
export function handlerOf(router: string, to: unknown, types: readonly string[]): (type: string) => RouteHandler {
  if (typeof to === 'function') return () => to as RouteHandler
  const table = to as Record<string, unknown>
  for (const type of types) {
    if (!Object.hasOwn(table, type) || typeof table[type] !== 'function') {
      throw invalid(router, `the command handlers have no function for ${type}`)
    }
  }
  for (const type of Object.keys(table)) {
    if (!types.includes(type))
      throw invalid(router, `the command handlers have ${type}, which is not registered with them`)
  }
  return (type) => table[type] as RouteHandler
}

export function checkListed(router: string, model: AggregateModel, types: readonly string[]): void {
  for (const type of types) {
    if (!model.commands.has(type)) throw invalid(router, `${type} is not among the commands of ${model.name}`)
  }
}

/** Whether a `commandHandler(…)` has a function for just these commands. */
export function checkHandled(router: string, unit: CommandHandlerBody, commands: readonly SealedDefinition[]): void {
  for (const command of commands) {
    if (unit.commands.get(command.type) === command) continue
    throw invalid(router, `${command.type} is not among the commands of the command handler of ${unit.aggregate.name}`)
  }
}

/** The options that each dispatch of the registered commands starts from. */
export function checkedRouteOptions(router: string, given: Readonly<Record<string, unknown>>): RouteOptions {
  const { timeout, consistency, retryAttempts, metadata, lifespan } = given
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0)) {
    throw invalid(router, 'timeout must be a positive number of milliseconds, or Infinity')
  }
  if (retryAttempts !== undefined && !isWhole(retryAttempts, 0)) {
    throw invalid(router, 'retryAttempts must be a whole number from 0')
  }
  if (
    consistency !== undefined &&
    consistency !== 'eventual' &&
    consistency !== 'strong' &&
    !isHandlerList(consistency)
  ) {
    throw invalid(router, `consistency must be 'eventual', 'strong', or a list of handlers or their names`)
  }
  return Object.freeze({
    ...(timeout !== undefined && { timeout }),
    ...(consistency !== undefined && { consistency: consistency as NonNullable<RouteOptions['consistency']> }),
    ...(retryAttempts !== undefined && { retryAttempts }),
    ...(metadata !== undefined && { metadata: checkedMetadata(router, metadata) }),
    ...(lifespan !== undefined && { lifespan: lifespanOf(router, lifespan) }),
  })
}

function checkedMetadata(router: string, metadata: unknown): Metadata {
  try {
    return frozenMetadata(metadata)
  } catch (cause) {
    throw invalid(router, describeThrown(cause), { cause })
  }
}

function isHandlerList(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  return value.every((item: unknown) => {
    return typeof item === 'string' || typeof (item as { readonly name?: unknown } | null)?.name === 'string'
  })
}

function lifespanOf(router: string, lifespan: unknown): Lifespan {
  try {
    return checkedLifespan(lifespan)
  } catch (cause) {
    throw invalid(router, describeThrown(cause), { cause })
  }
}
