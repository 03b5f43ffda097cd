import type { AggregateModel } from '../aggregate/model.ts'
import type { SealedDefinition } from '../messages/sealed-message.ts'

/** What a router sees of a `commandHandler(…)`, which brings what runs it: a router without one does not carry it. */
export interface CommandHandlerBody {
  /** Whose identity names the stream that its commands are about. */
  readonly aggregate: AggregateModel
  readonly commands: ReadonlyMap<string, SealedDefinition>
  readonly multipleAggregates: boolean
  handle(command: { readonly type: string; readonly data: unknown }, context: unknown): unknown
}

const bodies = new WeakMap<object, CommandHandlerBody>()

export function keepCommandHandlerBody(handler: object, body: CommandHandlerBody): void {
  bodies.set(handler, body)
}

/** What `commandHandler` prepared; undefined where the value is none. */
export function commandHandlerBodyOf(handler: unknown): CommandHandlerBody | undefined {
  return typeof handler === 'object' && handler !== null ? bodies.get(handler) : undefined
}
