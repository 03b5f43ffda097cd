import type { AggregateModel } from '../aggregate/model.ts'
import type { Rejection } from '../aggregate/rejection.ts'
import type { SealedDefinition } from '../messages/sealed-message.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { HandlerContext } from './handler-context.ts'
import type { CommandHandlerBody } from './command-handler-body.ts'
import type { Lifespan } from './lifespan.ts'
import type { Middleware } from './middleware.ts'
import type { Consistency } from './dispatch-options.ts'

/** What a registration may say for every dispatch of its commands. A call's own options win over these. */
export interface RouteOptions {
  /** Milliseconds for the queue before the aggregate, the handler and the append; or `Infinity`. @default that of the application, or 5_000 */
  readonly timeout?: number
  /** @default that of the application, or 'eventual' */
  readonly consistency?: Consistency
  /** How often a version conflict is tried again. @default that of the application, or 10 */
  readonly retryAttempts?: number
  /** JSON values, stored with each event; a call's own come on top. @default none */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** How long the instance stays in memory after such a command. @default that of the application, or as long as the cache holds it */
  readonly lifespan?: Lifespan
}

/** The one value that dispatch reads: all that is known of a command's way, prepared when the router is defined. */
export interface Route {
  readonly command: SealedDefinition
  readonly aggregate: AggregateModel
  /** Undefined where the aggregate itself executes the command. */
  readonly handler: ((state: unknown, data: unknown, context: HandlerContext) => unknown) | undefined
  /** Set where the command runs in a unit of work: then there is no other handler. */
  readonly unit: CommandHandlerBody | undefined
  readonly beforeExecute:
    ((state: unknown, context: BeforeExecuteContext) => MaybePromise<void | Rejection>) | undefined
  /** The identity's value, straight from the command's data; not checked yet. */
  readonly identityOf: (data: unknown) => unknown
  /** How the identity is found, for messages: `'accountNumber'`, or `'identity()'`. */
  readonly identityName: string
  readonly prefix: string
  /** Of all routers around the command, outermost first. */
  readonly middleware: readonly Middleware[]
  readonly options: RouteOptions
  /** The router that registered the command. */
  readonly routerName: string
}

/** What `beforeExecute` may know beside the state. */
export interface BeforeExecuteContext extends HandlerContext {
  readonly command: { readonly type: string; readonly data: unknown }
}
