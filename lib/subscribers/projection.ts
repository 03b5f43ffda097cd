import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { DefinitionOf, EventDefinition } from '../messages/message.ts'
import type { RecordedOf } from '../messages/recorded-event.ts'
import type { ErrorAction } from './error-action.ts'
import type { FailureContext } from './handler-model.ts'
import type { ProjectionContext, TableDefinition } from './projection-context.ts'
import { projectionsOf } from '../event-store/checked-projection-store.ts'
import { keepProjectionBody } from './projection-body.ts'
import { checkedProjectionModel } from './projection-model.ts'
import { ProjectionRunner } from './projection-runner.ts'

/** A function for each type of event: a type that is left out does not compile. */
export type ProjectTable<Events extends readonly EventDefinition[], Tx, Table extends string> = {
  readonly [Type in Events[number]['type']]: (
    data: RecordedOf<DefinitionOf<Events, Type>>['data'],
    recorded: RecordedOf<DefinitionOf<Events, Type>>,
    tx: Tx,
    context: ProjectionContext<Table>,
  ) => unknown
}

/** One function for all: `recorded` is a union that `recorded.type` tells apart. */
export type ProjectFunction<Events extends readonly EventDefinition[], Tx, Table extends string> = (
  data: RecordedOf<Events[number]>['data'],
  recorded: RecordedOf<Events[number]>,
  tx: Tx,
  context: ProjectionContext<Table>,
) => unknown

/** What a projection is made of: its events, its tables, and how the ones change the others. */
export interface ProjectionDefinition<Events extends readonly EventDefinition[], Tx, Table extends string> {
  /**
   * Raise it when `tables` or `project` change: then new tables are built beside the old ones, from the first event on, and take
   * their place when they have caught up.
   * @default 1
   */
  readonly version?: number
  /** The events that are projected; others cost the projection nothing. */
  readonly events: Events
  /**
   * The tables that it keeps, by the names under which they are read, as views: `SELECT … FROM account_balances`. Names are of
   * lower-case letters, digits and underscores, at most 40. No other projection of the store may have a table of the same name.
   */
  readonly tables: { readonly [Name in Table]: TableDefinition }
  /**
   * Writes an event into the tables of `context.tables`, by `tx` alone: a table of functions by event type, or one function. What it
   * returns is awaited. Nothing else must be done here: a transaction that is rolled back is tried again.
   */
  readonly project: ProjectTable<Events, Tx, Table> | ProjectFunction<Events, Tx, Table>
  /**
   * The name of a projection whose place this one takes, as where it was renamed: it is built beside that one, and then takes its
   * views over and drops its tables and its place. May stay there afterwards.
   */
  readonly replaces?: string
  /** Whether dispatches can wait for this projection. @default the application's `defaults.consistency` */
  readonly consistency?: 'eventual' | 'strong'
  /** The first event, or the one at a position, inclusive; of each rebuild too. @default 'origin' */
  readonly startFrom?: 'origin' | number
  /** At most so many events in one transaction, while catching up; a transaction also ends after 100 ms. @default 500 */
  readonly batchSize?: number
  /**
   * Says what becomes of an event that could not be projected: `retry()`, `skip()` or `stop()`. What it throws, and any other
   * answer, stops the projection.
   * @default retry with growing waits, then stop
   */
  readonly onError?: (
    error: unknown,
    recorded: RecordedOf<Events[number]>,
    context: FailureContext,
  ) => MaybePromise<ErrorAction>
}

/** A projection, for an application's `handlers`, for the `consistency` of a dispatch, and for `rebuild`. */
export interface Projection<
  Name extends string = string,
  Events extends readonly EventDefinition[] = readonly EventDefinition[],
> {
  readonly name: Name
  readonly events: Events
  readonly version: number
}

/** `projection` for stores of one kind, whose transaction is a `Tx`. */
export type DefineProjection<Tx> = <
  const Name extends string,
  const Events extends readonly EventDefinition[],
  const Table extends string,
>(
  name: Name,
  definition: ProjectionDefinition<Events, Tx, Table>,
) => Projection<Name, Events>

/**
 * Defines a read model in the event store's own database: what it writes and the place that it has reached commit in one transaction,
 * so that each event is in it once. Import it from `edict/sqlite` or `edict/postgres`, where `tx` has the driver's type. An
 * application that lists it in `handlers` runs it.
 *
 * Its name, and those of its tables, are stored contracts.
 *
 * @example
 * import { projection } from 'edict/sqlite'
 *
 * const balancesByAccount = projection('account-balances', {
 *   events: [AccountOpened, MoneyDeposited],
 *   tables: { account_balances: 'account_number TEXT PRIMARY KEY, balance INTEGER NOT NULL' },
 *   project: {
 *     AccountOpened: ({ accountNumber, initialBalance }, recorded, tx, { tables }) =>
 *       tx.prepare(`INSERT INTO ${tables.account_balances} VALUES (?, ?)`).run(accountNumber, initialBalance),
 *     MoneyDeposited: ({ accountNumber, amount }, recorded, tx, { tables }) =>
 *       tx
 *         .prepare(`UPDATE ${tables.account_balances} SET balance = balance + ? WHERE account_number = ?`)
 *         .run(amount, accountNumber),
 *   },
 * })
 *
 * @throws {DefinitionError} `invalid_definition` where the definition does not make sense: an unknown option, an event without
 *   a function, a table without columns, …
 */
export function projection<
  const Name extends string,
  const Events extends readonly EventDefinition[],
  const Table extends string,
  Tx = unknown,
>(name: Name, definition: ProjectionDefinition<Events, Tx, Table>): Projection<Name, Events> {
  return made(name, definition, undefined)
}

/** For the subpath of a store: `projection` with the type of its transaction. */
export function projectionFor<Tx>(storeKind: string): DefineProjection<Tx> {
  return (name, definition) => made(name, definition, storeKind)
}

function made<Name extends string, Events extends readonly EventDefinition[]>(
  name: Name,
  definition: { readonly events: Events },
  storeKind: string | undefined,
): Projection<Name, Events> {
  const model = checkedProjectionModel(name, definition, storeKind)
  // A copy of a list has the list's own elements in its order, which the type of a spread does not say.
  const events = Object.freeze([...definition.events]) as unknown as Events
  const defined = Object.freeze({ name, events, version: model.version })
  keepProjectionBody(defined, {
    name,
    types: model.types,
    storeKind,
    tables: [...model.tables.keys()],
    replaces: model.replaces,
    makeRunner: (options) => new ProjectionRunner(model, { ...options, projections: projectionsOf(options.store) }),
  })
  return defined
}
