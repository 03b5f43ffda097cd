import type { Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape } from '../aggregate/aggregate-shape.ts'
import type { AggregateRoot } from './aggregate-root.ts'

/** What can be an identity: as in a command. */
export type Identity = string | number | bigint | object

/** Loads the aggregates of a unit of work, and says which of them it stores. The same aggregate is the same root each time. */
export interface Repository {
  /**
   * An aggregate as the store knows it now, or as the unit has left it.
   *
   * @example
   * const root = await repository.get(BankAccount, 'ACC123')
   * root.state.balance
   *
   * @throws {AggregateNotFoundError} `aggregate_not_found` where it has no events
   * @throws {InvalidIdentityError} `invalid_identity`; InvalidOptionError `invalid_option` where no router of the application knows the aggregate
   */
  get<Shape extends AggregateShape>(
    aggregate: Aggregate<string, Shape>,
    identity: Identity,
  ): Promise<AggregateRoot<Shape>>
  /** As `get`, but undefined where it has no events. */
  find<Shape extends AggregateShape>(
    aggregate: Aggregate<string, Shape>,
    identity: Identity,
  ): Promise<AggregateRoot<Shape> | undefined>
  /**
   * A new aggregate, which nothing has happened to yet.
   *
   * @example
   * const root = await repository.create(BankAccount, 'ACC123')
   * root.execute(OpenAccount({ accountNumber: root.id, initialBalance: 0 }))
   * repository.add(root)
   *
   * @throws {AggregateExistsError} `aggregate_exists` where it has events already
   */
  create<Shape extends AggregateShape>(
    aggregate: Aggregate<string, Shape>,
    identity: Identity,
  ): Promise<AggregateRoot<Shape>>
  /**
   * Says that what happened to an aggregate, and what still happens to it in this unit, is to be stored by the commit.
   *
   * @throws {SeveralAggregatesError} `several_aggregates` where that would be the second one, and the unit allows one
   */
  add(root: AggregateRoot): void
}
