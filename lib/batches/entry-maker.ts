import { resolveOptions } from '../dispatch/options.ts'
import type { RoutePlan } from '../dispatch/route-plan.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { DispatchTooDeepError } from '../errors.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import { identityText } from '../routing/identity.ts'
import { BatchEntry, type ScheduledBy } from './batch-entry.ts'

export interface EntryOf {
  readonly command: unknown
  /** As those of a dispatch. */
  readonly options: object
  /** @default that of the options, or a new one */
  readonly commandId?: string
  /** @default that of the options, or the command id */
  readonly correlationId?: string
  readonly scheduledBy?: ScheduledBy
}

/** Validates a command, routes it, and finds its identity: all that can be known before it runs. */
export type EntryMaker = (given: EntryOf) => BatchEntry

export function entryMaker(
  services: DispatchServices,
  planOf: (command: unknown) => RoutePlan,
  signal: () => AbortSignal,
): EntryMaker {
  return ({ command, options: given, scheduledBy, ...ids }) => {
    const plan = planOf(command)
    // Whatever has a plan was made by a command's definition.
    const sealed = command as SealedMessage
    const options = resolveOptions(plan.defaults, given)
    if (options.depth > services.maxDepth) {
      throw new DispatchTooDeepError(sealed.type, options.depth, services.maxDepth)
    }
    const commandId = options.commandId ?? ids.commandId ?? services.ids.next()
    return new BatchEntry({
      plan,
      command: sealed,
      options,
      commandId,
      correlationId: options.correlationId ?? ids.correlationId ?? commandId,
      aggregateId: identityText(plan.identityOf(sealed), plan.identityName),
      awaited: services.board.resolve(options.consistency),
      scheduledBy,
      signal,
      now: services.clock.now(),
    })
  }
}
