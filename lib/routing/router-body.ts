import type { Result } from '../effects/result.ts'
import {
  InvalidOptionError,
  RouterDefinitionError,
  UnregisteredCommandError,
  ValidationError,
  describeThrown,
} from '../errors.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
import type { DispatchOptions } from './dispatch-options.ts'
import type { ExecutionResult } from './execution-result.ts'
import type { Route } from './route.ts'
import { keepRouting, type Routing } from './routing.ts'
import { RoutingBuilder } from './routing-builder.ts'
import { runningApplicationOf } from './running.ts'

/** One registration, for tools. */
export interface RouteListing {
  /** The command's type. */
  readonly command: string
  /** The aggregate's name. */
  readonly aggregate: string
  /** The name of the router that registered it. */
  readonly router: string
}

function listing({ command, aggregate, routerName }: Route): RouteListing {
  return Object.freeze({ command: command.type, aggregate: aggregate.name, router: routerName })
}

/** The run-time of a router. */
export class RouterBody {
  readonly name: string
  /** What is registered, for tools and docs. */
  readonly routes: readonly RouteListing[]
  readonly #routing: Routing

  constructor(name: string, builder: RoutingBuilder) {
    const { inner, ...finished } = builder.finish()
    this.name = name
    this.#routing = Object.freeze({ ...finished, routers: [this, ...inner] })
    this.routes = Object.freeze([...finished.routes.values()].map(listing))
    keepRouting(this, this.#routing)
    Object.freeze(this)
  }

  dispatch(command: unknown, options?: DispatchOptions | null): Promise<ExecutionResult> {
    try {
      if (options === null || (options !== undefined && typeof options !== 'object')) {
        throw new InvalidOptionError('the options of a dispatch are an object')
      }
      const chosen = options?.application
      if (chosen !== undefined && typeof chosen !== 'string' && !isNamed(chosen)) {
        throw new InvalidOptionError('application must be a running application, or its name')
      }
      return runningApplicationOf(this, this.name, chosen).dispatch(command, options)
    } catch (error) {
      const failure: Error = error as Error
      return Promise.reject(failure)
    }
  }

  parse(input: unknown): unknown {
    const parsed = this.safeParse(input)
    if (parsed.ok) return parsed.value
    throw parsed.error
  }

  safeParse(input: unknown): Result<unknown, Error> {
    try {
      return this.#parse(input)
    } catch (cause) {
      // Input that runs code (a getter, a proxy) may throw anything.
      return refused(`it cannot be read: ${describeThrown(cause)}`, cause)
    }
  }

  #parse(input: unknown): Result<unknown, Error> {
    if (input === null || typeof input !== 'object' || Array.isArray(input)) {
      return refused('a command from outside is { type, data }, and this is no such object')
    }
    const made = SealedMessage.definitionOf(input)
    // Nothing is validated twice.
    if (made !== undefined && this.#routing.routes.get(made.type)?.command === made) return { ok: true, value: input }
    const { type, data } = input as { readonly type?: unknown; readonly data?: unknown }
    if (typeof type !== 'string') return refused('a command from outside is { type, data }, and the type is a text')
    const definition = this.#routing.definitions.get(type)
    if (definition !== undefined) return definition.safe(data)
    return {
      ok: false,
      error: new UnregisteredCommandError(`router ${this.name} registers no command ${shortened(type)}`),
    }
  }
}

function isNamed(value: unknown): boolean {
  return value !== null && typeof value === 'object' && typeof (value as { name?: unknown }).name === 'string'
}

const LONGEST_TYPE_TOLD = 100

function shortened(type: string): string {
  return type.length > LONGEST_TYPE_TOLD ? `${type.slice(0, LONGEST_TYPE_TOLD)}…` : type
}

function refused(message: string, cause?: unknown): Result<never, ValidationError> {
  return { ok: false, error: new ValidationError('a command', [{ message, path: [] }], { cause }) }
}

/** Runs the block that defines a router. */
export function buildRouter(name: unknown, define: unknown): RouterBody {
  if (typeof name !== 'string' || name.trim() === '') {
    throw new RouterDefinitionError('invalid_registration', 'router(name, …) needs its name as a non-empty string')
  }
  if (typeof define !== 'function') {
    throw new RouterDefinitionError('invalid_registration', `router ${name} needs the block that defines it`)
  }
  const begun = new RoutingBuilder(name)
  try {
    const ended: unknown = (define as (builder: RoutingBuilder) => unknown)(begun)
    if (RoutingBuilder.endsBlock(begun, ended)) return new RouterBody(name, ended)
  } finally {
    begun.close()
  }
  throw new RouterDefinitionError(
    'invalid_registration',
    `the block of router ${name} must return what its last step gave: (builder) => builder.identify(…).dispatch(…)`,
  )
}
