import type { Result } from '../effects/result.ts'
import type { UnregisteredCommandError, ValidationError } from '../errors.ts'
import type { DispatchOptions } from './dispatch-options.ts'
import type { CommandFor, CommandIn, ResultOf, RouteOf } from './registered-route.ts'
import type { Routed } from './routed.ts'
import { buildRouter } from './router-body.ts'
import type { RouterBuilder } from './router-builder.ts'

/** Knows where each of its commands goes. Complete and immutable. */
export interface Router<Routes> extends Routed<Routes> {
  /**
   * Sends a command to the running application that holds this router, itself or inside a composite.
   *
   * @example
   * const { aggregateVersion } = await bankRouter.dispatch(DepositMoney({ accountNumber: 'ACC123', amount: 5 }))
   *
   * @throws {NoApplicationError} `no_application` where none runs
   * @throws {AmbiguousApplicationError} `ambiguous_application` where several do, and `{ application }` does not choose
   * @throws {EdictError} whatever the application's `dispatch` rejects with
   */
  dispatch<Type extends string, Route = RouteOf<Routes, Type>>(
    command: CommandFor<Route, Type>,
    options?: DispatchOptions,
  ): Promise<ResultOf<Route, Type>>
  /**
   * Turns untrusted input (a line, a request, a message of a queue) into a command of this router.
   *
   * @example
   * await bankRouter.dispatch(bankRouter.parse(JSON.parse(line)))
   *
   * @param input anything; a command is `{ type, data }`
   * @throws {ValidationError} `invalid_message` where it is no command, or its data does not satisfy the schema
   * @throws {UnregisteredCommandError} `unregistered_command` where this router has no command of its type
   */
  parse(input: unknown): CommandIn<Routes>
  /**
   * As `parse`, with a result instead of a throw.
   *
   * @example
   * const parsed = bankRouter.safeParse(await request.json())
   * if (!parsed.ok) return Response.json({ code: parsed.error.code }, { status: 400 })
   */
  safeParse(input: unknown): Result<CommandIn<Routes>, ValidationError | UnregisteredCommandError>
}

/**
 * Defines a router: the block registers, the router dispatches.
 *
 * @example
 * const bankRouter = router('bank', (bank) => bank
 *   .middleware(commandLogger())
 *   .identify(BankAccount, { by: 'accountNumber', prefix: 'bank-account-' })
 *   .dispatch([OpenAccount, DepositMoney], { to: BankAccount }))
 *
 * @param name for messages and tools
 * @param define takes a builder, and returns what its last step gave
 * @throws {RouterDefinitionError} `duplicate_registration`, `duplicate_identity`, `invalid_registration`,
 *   `invalid_identity_definition`, `missing_identity` or `conflicting_prefix`
 */
export function router<Routes, Identities>(
  name: string,
  define: (builder: RouterBuilder) => RouterBuilder<Routes, Identities>,
): Router<Routes> {
  // The body keeps what it is given untyped; the face knows what was registered.
  return buildRouter(name, define) as unknown as Router<Routes>
}
