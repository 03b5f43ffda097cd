import type { RecordedEvent } from '../messages/recorded-event.ts'

/** An event in a sentence of the log. */
export function described({ type, position }: RecordedEvent): string {
  return `${type}, position ${position}`
}
