import { handedOver } from './immutable.ts'
import type { EventProcessing } from './event-processing.ts'
import type { MessageKind } from './message.ts'

/** What the rest of the house has to know of a definition as the program runs. */
export interface SealedDefinition {
  readonly kind: MessageKind
  readonly type: string
  readonly schemaVersion: number
}

/**
 * The run-time body of every message. The definition sits in a private field: it cannot be forged by a look-alike, is not
 * enumerated, printed or serialised, and one class for all messages keeps property access monomorphic.
 */
export class SealedMessage {
  readonly type: string
  readonly data: unknown
  readonly #definition: SealedDefinition
  /** No data: it is not stored, and nobody else reads it. */
  readonly #processing: EventProcessing | undefined

  constructor(definition: SealedDefinition, data: unknown, processing?: EventProcessing) {
    this.type = definition.type
    this.data = data
    this.#definition = definition
    this.#processing = processing
    Object.freeze(this)
  }

  /** The definition that made a value, or undefined where none did. */
  static definitionOf(value: unknown): SealedDefinition | undefined {
    return value !== null && typeof value === 'object' && #definition in value ? value.#definition : undefined
  }

  /** A message for another pair of hands: itself, or its like where its data holds binary, which cannot be frozen. */
  static handedOver(message: SealedMessage): SealedMessage {
    const data = handedOver(message.data)
    return data === message.data ? message : new SealedMessage(message.#definition, data, message.#processing)
  }

  /** How an event wants to be processed; undefined where it leaves that to the application. */
  static processingOf(event: SealedMessage): EventProcessing | undefined {
    return event.#processing
  }

  /** The same event with a mark of its own: the one that was given may be somebody else's too. */
  static marked(event: SealedMessage, processing: EventProcessing): SealedMessage {
    return new SealedMessage(event.#definition, event.data, processing)
  }
}
