import type { AggregateShape, CommandOf, EventOf, StateOf } from '../aggregate/aggregate-shape.ts'
import type { MessageOf } from '../messages/message.ts'

/** One aggregate in a unit of work. What happens to it here is stored when the unit commits, if it was added to the repository. */
export interface AggregateRoot<out Shape extends AggregateShape = AggregateShape> {
  /** Its identity, as text. */
  readonly id: string
  /** The version that its state is of: what its stream was at when it was loaded, and one more for each event since. */
  readonly version: number
  /** Whether nothing of it is stored yet. */
  readonly isNew: boolean
  /** With all that happened to it in the unit. Frozen. */
  readonly state: Readonly<StateOf<Shape>>
  /**
   * Decides a command by the aggregate's own `execute`, on its state as it is now, and applies the events that come of it.
   *
   * @example
   * const root = await repository.get(BankAccount, 'ACC123')
   * const [deposited] = root.execute(DepositMoney({ accountNumber: root.id, amount: 5 }))
   *
   * @returns the events
   * @throws {CommandRejectedError} with the rejection's code; nothing happened to the aggregate then
   */
  execute<Made extends MessageOf<CommandOf<Shape>>>(command: Made): readonly MessageOf<EventOf<Shape>>[]
  /**
   * Applies an event of the aggregate, or a list of them, that the handler has decided on by itself.
   *
   * @example
   * const root = await repository.get(BankAccount, 'ACC123')
   * root.raise(MoneyDeposited({ accountNumber: root.id, amount: 5 }))
   *
   * @throws {InvalidOutcomeError} `invalid_outcome` where one is no event of the aggregate
   */
  raise(events: MessageOf<EventOf<Shape>> | readonly MessageOf<EventOf<Shape>>[]): void
}
