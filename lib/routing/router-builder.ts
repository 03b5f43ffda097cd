import type { Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape, CommandOf, StateOf } from '../aggregate/aggregate-shape.ts'
import type { CommandDefinition } from '../messages/message.ts'
import type { BeforeExecute, Target } from './handler-type.ts'
import type { ByCheck, IdentifiedOnce, IdentityBy } from './identity-type.ts'
import type { Middleware } from './middleware.ts'
import type { Given, RouteFor, RouteMap } from './registered-route.ts'
import type { Apart, CommandsCheck, Demands, Registration } from './registration-type.ts'
import type { Routed } from './routed.ts'

/**
 * The block that defines a router: each step gives a builder that knows one thing more, and is used up by it. `Routes` is what is
 * registered so far, by command type; `Identities` is how aggregates are identified, by their names.
 */
export interface RouterBuilder<Routes = {}, Identities = {}> {
  /**
   * Puts middleware around every command of this router, in order of definition; that of an outer router comes first.
   *
   * @example
   * router('bank', (bank) => bank.middleware(commandLogger()).router(accountRouter))
   */
  middleware(...middleware: readonly Middleware[]): RouterBuilder<Routes, Identities>
  /**
   * Says how commands find their instance of an aggregate. A registration may say another `identity`, never another prefix.
   *
   * @example
   * router('bank', (bank) => bank
   *   .identify(BankAccount, { by: 'accountNumber', prefix: 'bank-account-' })
   *   .dispatch([OpenAccount, DepositMoney], { to: BankAccount }))
   *
   * @throws {RouterDefinitionError} `duplicate_identity`, `invalid_identity_definition`, `conflicting_prefix`
   */
  identify<Name extends string, Shape extends AggregateShape, const By extends IdentityBy<CommandOf<Shape>>>(
    aggregate: Aggregate<Name, Shape> & IdentifiedOnce<Name, Identities>,
    identity: {
      /** A key that its commands have, or a function of a command's data. */
      readonly by: By & ByCheck<Name, Shape, By>
      /** Begins the stream's id: a text, or a function that is called once, here. @default '' */
      readonly prefix?: string | (() => string)
    },
  ): RouterBuilder<Routes, Identities & RouteMap<Name, By>>
  /**
   * Registers commands: `to` is the aggregate that executes them; or a command handler, a function `(state, data, context)` or a
   * table of such by command type, with the aggregate beside it.
   *
   * @example
   * router('bank', (bank) => bank
   *   .identify(BankAccount, { by: 'accountNumber' })
   *   .dispatch([OpenAccount, DepositMoney], { to: BankAccount })
   *   .dispatch(WithdrawMoney, {
   *     aggregate: BankAccount,
   *     timeout: 1_000,
   *     to: async (account, { amount }, { signal }) =>
   *       (await isSuspicious(account, amount, signal)) ? reject('suspicious') : MoneyWithdrawn({ amount }),
   *   }))
   *
   * @throws {RouterDefinitionError} `duplicate_registration`, `missing_identity`, `invalid_registration`
   */
  dispatch<
    const Definition extends CommandDefinition,
    Name extends string,
    Shape extends AggregateShape,
    const To extends Target<Name, Shape, Definition>,
    const Identity extends IdentityBy<Definition>,
    Before extends BeforeExecute<StateOf<Shape>, Definition>,
  >(
    commands: (Definition | readonly Definition[]) & CommandsCheck<Definition, Name, Shape, To, Routes>,
    options: Registration<Definition, Name, Shape, To, Identity, Before> & Demands<Definition, Name, Shape, Identities>,
  ): RouterBuilder<Routes & RouteMap<Definition['type'], RouteFor<Definition, Shape, To, Given<Before>>>, Identities>
  /**
   * Takes in another router, to any depth.
   *
   * @example
   * router('app', (app) => app.middleware(audit).router(bankRouter).router(transferRouter))
   *
   * @throws {RouterDefinitionError} `duplicate_registration`, `conflicting_prefix`
   */
  router<Others>(other: Routed<Others> & Apart<Routes, Others>): RouterBuilder<Routes & Others, Identities>
}
