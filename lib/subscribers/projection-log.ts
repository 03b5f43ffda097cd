import type { Logger } from '../effects/logger.ts'
import { DefinitionError, describeThrown } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'

export function described({ type, position }: RecordedEvent): string {
  return `${type}, position ${position}`
}

/** Tells what a projection failed with; at an event, where that is known. */
export function logFailure(
  where: { readonly logger: Logger; readonly application: string },
  projection: string,
  level: 'warn' | 'error',
  what: string,
  error: unknown,
  recorded: RecordedEvent | undefined,
): void {
  const { eventId, position, type } = recorded ?? {}
  where.logger[level](
    { projection, application: where.application, error, eventId, position, type },
    `the projection ${projection} ${what}: ${describeThrown(error)}`,
  )
}

/** What readers see is of a higher version than the definition here. */
export function outdated(model: { readonly name: string; readonly version: number }, version: number): DefinitionError {
  return new DefinitionError(
    `the projection ${model.name} is at version ${version} in the store, and at ${model.version} here: ` +
      'it does not run here until the new version is deployed on this node too',
  )
}
