import type { PreparedDispatch } from '../dispatch/dispatcher.ts'
import { DEPTH, FIRST_RUN, type TriggeredOptions } from '../dispatch/options.ts'
import { asEdictError, UnregisteredCommandError, ValidationError, describeThrown } from '../errors.ts'
import type { NewQueuedCommand, QueuedCommand } from '../event-store/command-queue-store.ts'
import { fingerprint } from '../messages/fingerprint.ts'
import { handedOver, immutableCopy } from '../messages/immutable.ts'
import { jsonText } from '../messages/json-serializer.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
import { idOfKey } from './command-ids.ts'
import type { SplitOptions } from './enqueue-checks.ts'
import type { QueueServices } from './queue-services.ts'
import { dataDidFit, givenOptions, storedOptions } from './stored-options.ts'

/** A command as it is to be stored, encoded. What is wrong with it is thrown. */
export async function newCommand(
  services: QueueServices,
  prepared: PreparedDispatch,
  { queueing, dispatch }: SplitOptions,
  byCaller: boolean,
): Promise<NewQueuedCommand> {
  const { codec, clock, ids } = services.dispatching
  const { command, plan, options, aggregateId } = prepared
  const { tenant, metadata, depth } = options
  // The stores count whole milliseconds since 1970.
  const deadline = options.deadline === undefined ? undefined : Math.max(0, Math.floor(options.deadline))
  const { lane, idempotencyKey, notBefore, delay, strict = services.policy.order === 'strict' } = queueing
  const commandId = options.commandId ?? (idempotencyKey === undefined ? ids.next() : idOfKey(tenant, idempotencyKey))
  const { causationId = commandId, correlationId = commandId } = options
  const streamId = plan.group.of(tenant).prefix + aggregateId
  const category = plan.model.name
  return {
    commandId,
    type: command.type,
    data: await encoded(services, command, { streamId, category, metadata, tenant }),
    contentType: codec.contentType,
    metadata,
    correlationId,
    causationId,
    tenant,
    streamId,
    lane,
    strict,
    fingerprint: fingerprint(command),
    idempotencyKey,
    notBefore,
    delay,
    deadline,
    depth,
    options: storedOptions(dispatch, fitsAgain(services, command)),
    createdAt: clock.now(),
    byCaller,
  }
}

async function encoded(
  { dispatching: { codec } }: QueueServices,
  { type, data }: SealedMessage,
  context: Pick<NewQueuedCommand, 'streamId' | 'metadata' | 'tenant'> & { readonly category: string },
): Promise<unknown> {
  if (!codec.passesThrough) refuseInstances(type, data)
  try {
    return await codec.encode(data, { type, schemaVersion: 1, ...context, command: true })
  } catch (cause) {
    throw asEdictError(cause, 'the serializer')
  }
}

/** A command may hold an instance as an identity; what comes back from a store would be another thing. */
function refuseInstances(type: string, data: unknown): void {
  const copied = immutableCopy(data, { allowInstances: false })
  if (!('issue' in copied)) return
  const message = 'an object as an identity cannot be stored with a command, as its store encodes data: give its text'
  throw new ValidationError(type, [{ ...copied.issue, message }])
}

/** A schema that transforms does not take what it gave, or gives something else for it. */
function fitsAgain({ makers }: QueueServices, { type, data }: SealedMessage): boolean {
  const made = makers.get(type)?.safe(data)
  if (made?.ok !== true) return false
  const again = made.value as SealedMessage
  return jsonText(again.data) === jsonText(data)
}

/** The data of a stored command, as it was stored. Rejects where it cannot be read. */
export async function storedData(services: QueueServices, command: QueuedCommand): Promise<unknown> {
  const { type, streamId, metadata, tenant, contentType, data } = command
  const category = services.dispatcher.planFor(type)?.model.name ?? ''
  const context = { type, schemaVersion: 1, streamId, category, metadata, tenant, command: true } as const
  return handedOver(await services.dispatching.codec.decodeCommand({ ...context, contentType, data }))
}

/**
 * A stored command as it can be dispatched today.
 *
 * @throws {UnregisteredCommandError} `unregistered_command` where nobody registers it any more
 * @throws {ValidationError} `invalid_message` where what is stored cannot be read, or is not what the command is made of today
 */
export async function readCommand(services: QueueServices, command: QueuedCommand): Promise<SealedMessage> {
  const { type, options } = command
  const plan = services.dispatcher.planFor(type)
  const maker = services.makers.get(type)
  if (plan === undefined || maker === undefined) {
    throw new UnregisteredCommandError(`no router of this application registers the stored command ${type}`)
  }
  let data: unknown
  try {
    data = await storedData(services, command)
  } catch (cause) {
    throw new ValidationError(type, [{ message: `it cannot be read: ${describeThrown(cause)}`, path: [] }], { cause })
  }
  if (!dataDidFit(options)) return new SealedMessage(plan.route.command, data)
  const made = maker.safe(data)
  if (!made.ok) throw made.error
  // The maker of a registered command makes that command.
  return made.value as SealedMessage
}

/** What the dispatch of a stored command is given: all that was said when it was stored, unchanged. */
export function dispatchOptions(command: QueuedCommand, signal: AbortSignal | undefined): TriggeredOptions {
  const { commandId, causationId, correlationId, metadata, tenant, deadline, depth } = command
  return {
    ...givenOptions(command.options),
    ...{ commandId, causationId, correlationId, metadata },
    ...(tenant !== undefined && { tenant }),
    ...(deadline !== undefined && { deadline }),
    ...(signal !== undefined && { signal }),
    [DEPTH]: depth,
    [FIRST_RUN]: command.attempts === 0,
  }
}
