import { InvalidOptionError } from '../errors.ts'
import { textFault } from '../event-store/argument-checks.ts'
import { checkedTenant } from '../aggregate/tenant.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import { isWhole } from '../messages/whole-number.ts'
import type { Consistency, DispatchOptions } from '../routing/dispatch-options.ts'
import { frozenMetadata, NO_METADATA } from '../event-store/frozen-metadata.ts'

/** The options of one dispatch, checked, with every level's say in them. */
export interface ResolvedOptions {
  readonly consistency: Consistency
  readonly timeout: number
  readonly consistencyTimeout: number
  readonly retryAttempts: number
  readonly metadata: Metadata
  readonly commandId: string | undefined
  readonly causationId: string | undefined
  readonly correlationId: string | undefined
  readonly signal: AbortSignal | undefined
  readonly expectedVersion: number | undefined
  /** Milliseconds since 1970. */
  readonly deadline: number | undefined
  readonly tenant: string | undefined
  /** How many events led to the command, one after another; 0 where a caller made it. */
  readonly depth: number
  /** Its id was not made for this call, but nothing tells that it ever ran: what is stored is asked only where it appends nothing. */
  readonly isFirstRun: boolean
}

/** What only the call itself can say, where it has said nothing. */
export const NOTHING_SAID = Object.freeze({
  metadata: NO_METADATA,
  commandId: undefined,
  causationId: undefined,
  correlationId: undefined,
  signal: undefined,
  expectedVersion: undefined,
  deadline: undefined,
  tenant: undefined,
  depth: 0,
  isFirstRun: false,
}) satisfies Partial<ResolvedOptions>

/** Where a handler's dispatch says how deep it is. A symbol: no caller says it, and what spreads the options carries it along. */
export const DEPTH: unique symbol = Symbol('depth')

/** Where a worker says that nobody has begun a stored command before, as far as is known. */
export const FIRST_RUN: unique symbol = Symbol('first run')

/** The options of a command that an event led to, or that was stored. */
export interface TriggeredOptions extends DispatchOptions {
  readonly [DEPTH]?: number
  readonly [FIRST_RUN]?: boolean
}

/** Their names, as a message gives them. */
export const DISPATCH_OPTIONS =
  'consistency, timeout, consistencyTimeout, metadata, commandId, causationId, correlationId, signal, retryAttempts, expectedVersion, deadline, tenant, application'

export function isDispatchOption(key: string): boolean {
  return DISPATCH_OPTIONS.split(', ').includes(key)
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] }

/**
 * Lays a call's options over the defaults of its route.
 *
 * @throws {InvalidOptionError} `invalid_option`, naming the option
 */
export function resolveOptions(defaults: ResolvedOptions, given: unknown): ResolvedOptions {
  if (given === null || typeof given !== 'object' || Array.isArray(given))
    throw new InvalidOptionError('the options of a dispatch are an object')
  const resolved: Mutable<ResolvedOptions> = { ...defaults }
  for (const key of Object.keys(given)) {
    const value = (given as Readonly<Record<string, unknown>>)[key]
    if (value === undefined) continue
    switch (key as keyof DispatchOptions) {
      case 'consistency':
        resolved.consistency = checkedConsistency(value)
        break
      case 'timeout':
      case 'consistencyTimeout':
        resolved[key as 'timeout' | 'consistencyTimeout'] = checkedMilliseconds(key, value)
        break
      case 'retryAttempts':
      case 'expectedVersion':
        resolved[key as 'retryAttempts' | 'expectedVersion'] = checkedWholeNumber(key, value)
        break
      case 'commandId':
      case 'causationId':
      case 'correlationId':
        resolved[key as 'commandId' | 'causationId' | 'correlationId'] = checkedId(key, value)
        break
      case 'metadata':
        resolved.metadata = mergedMetadata(defaults.metadata, frozenMetadata(value))
        break
      case 'signal':
        resolved.signal = checkedSignal(value)
        break
      case 'deadline':
        resolved.deadline = checkedDeadline(value)
        break
      case 'tenant':
        resolved.tenant = checkedTenant(value)
        break
      case 'application':
        // Read before, where the router looks for the application that is meant.
        break
      default:
        throw new InvalidOptionError(`a dispatch has no option ${key}; it has ${DISPATCH_OPTIONS}`)
    }
  }
  const { [DEPTH]: depth, [FIRST_RUN]: isFirstRun }: TriggeredOptions = given
  if (depth !== undefined) resolved.depth = depth
  if (isFirstRun !== undefined) resolved.isFirstRun = isFirstRun
  return resolved
}

function mergedMetadata(under: Metadata, over: Metadata): Metadata {
  return Object.freeze({ ...under, ...over })
}

export function checkedConsistency(value: unknown): Consistency {
  if (value === 'eventual' || value === 'strong' || Array.isArray(value)) return value as Consistency
  throw new InvalidOptionError(`consistency must be 'eventual', 'strong', or a list of handlers or their names`)
}

export function checkedMilliseconds(option: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value
  throw new InvalidOptionError(`${option} must be a positive number of milliseconds, or Infinity`)
}

export function checkedWholeNumber(option: string, value: unknown): number {
  if (isWhole(value, 0)) return value
  throw new InvalidOptionError(`${option} must be a whole number from 0`)
}

function checkedId(option: string, value: unknown): string {
  const fault = textFault(value)
  if (fault !== undefined) throw new InvalidOptionError(`${option} ${fault}`)
  return value as string
}

function checkedDeadline(value: unknown): number {
  const milliseconds = value instanceof Date ? value.getTime() : value
  if (typeof milliseconds === 'number' && Number.isFinite(milliseconds)) return milliseconds
  throw new InvalidOptionError('deadline must be a Date, or milliseconds since 1970')
}

function checkedSignal(value: unknown): AbortSignal {
  if (value instanceof AbortSignal) return value
  throw new InvalidOptionError('signal must be an AbortSignal')
}
