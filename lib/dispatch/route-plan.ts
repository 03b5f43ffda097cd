import type { InstanceCache, InstanceGroup } from '../aggregate/instance-cache.ts'
import type { AggregateModel } from '../aggregate/model.ts'
import { InvalidIdentityError, describeThrown } from '../errors.ts'
import type { Lifespan } from '../routing/lifespan.ts'
import type { Route } from '../routing/route.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { Logger } from '../effects/logger.ts'
import { frozenMetadata, NO_METADATA } from '../event-store/frozen-metadata.ts'
import { middlewareChain, type MiddlewareChain } from './middleware-chain.ts'
import { NOTHING_SAID, type ResolvedOptions } from './options.ts'

/** A route as one application dispatches by it: all that need not be worked out again for each command. */
export interface RoutePlan {
  readonly route: Route
  readonly model: AggregateModel
  readonly group: InstanceGroup
  /** The identity's value, as the user's key or function finds it; not checked yet. */
  readonly identityOf: (command: SealedMessage) => unknown
  /** Built-in, application's and route's options, in rising order of precedence. */
  readonly defaults: ResolvedOptions
  /** The route's, or the application's. */
  readonly lifespan: Lifespan | undefined
  /** Undefined where the route has no middleware. */
  readonly chain: MiddlewareChain | undefined
  /** For messages: `'OpenAccount.accountNumber'`. */
  readonly identityName: string
  /** For messages: `'BankAccount.execute of OpenAccount'`. */
  readonly executorName: string
}

/** The defaults of an application, over the built-in ones. */
export interface DispatchDefaults {
  readonly consistency: ResolvedOptions['consistency']
  readonly timeout: number
  readonly consistencyTimeout: number
  readonly retryAttempts: number
}

export const BUILT_IN_DEFAULTS: DispatchDefaults = Object.freeze({
  consistency: 'eventual',
  timeout: 5_000,
  consistencyTimeout: 5_000,
  retryAttempts: 10,
})

export function routePlan(
  route: Route,
  defaults: DispatchDefaults,
  { instances, logger }: { readonly instances: InstanceCache; readonly logger: Logger },
  lifespan?: Lifespan,
): RoutePlan {
  const { options } = route
  const { type } = route.command
  const identityName = `${type}.${route.identityName}`
  return Object.freeze({
    route,
    model: route.aggregate,
    group: instances.group(route.aggregate, route.prefix),
    defaults: Object.freeze({
      consistency: options.consistency ?? defaults.consistency,
      timeout: options.timeout ?? defaults.timeout,
      consistencyTimeout: defaults.consistencyTimeout,
      retryAttempts: options.retryAttempts ?? defaults.retryAttempts,
      ...NOTHING_SAID,
      metadata: options.metadata === undefined ? NO_METADATA : frozenMetadata(options.metadata),
    }),
    lifespan: options.lifespan ?? lifespan,
    chain: route.middleware.length === 0 ? undefined : middlewareChain(route.middleware, logger),
    identityOf: ({ data }: SealedMessage) => {
      try {
        return route.identityOf(data)
      } catch (cause) {
        throw new InvalidIdentityError(`${identityName} threw: ${describeThrown(cause)}`, { cause })
      }
    },
    identityName,
    executorName:
      (route.handler ?? route.unit) ? `the command handler of ${type}` : `${route.aggregate.name}.execute of ${type}`,
  })
}
