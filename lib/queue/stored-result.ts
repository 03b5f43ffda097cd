import { Hydration } from '../aggregate/hydrate.ts'
import { Executed } from '../dispatch/executed.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { StoreError, StreamClosedError, UnregisteredCommandError, describeThrown, isEdictError } from '../errors.ts'
import type { QueuedCommand } from '../event-store/command-queue-store.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { asJson, fromJson } from './json-value.ts'
import type { QueueServices } from './queue-services.ts'

/** What is kept of a result. Its events and its state are read from the store. */
interface StoredResult {
  readonly aggregateId: string
  readonly streamId: string
  readonly aggregateVersion: number
  readonly hasEvents: boolean
  /** Where its events are; left out where they are in its own stream, as they mostly are. */
  readonly streams?: readonly string[]
  readonly metadata: Metadata
  readonly tenant?: string
  readonly reply?: { readonly json: unknown }
}

/** A result as it is stored beside its command. `tenant` is whose the command is, unless an event says otherwise. */
export function storedResult(
  result: ExecutionResult,
  tenant: string | undefined,
  logger: DispatchServices['logger'],
): StoredResult {
  const { aggregateId, streamId, aggregateVersion, events, metadata } = result
  const whose = events[0] === undefined ? tenant : events[0].tenant
  const reply = asJson(result.reply)
  if (reply === undefined && result.reply !== undefined) {
    logger.warn({ streamId }, 'a reply that no message could hold reaches the one who waits in this process alone')
  }
  const hasEvents = events.length > 0
  const streams = [...new Set(events.map((event) => event.streamId))]
  return {
    ...{ aggregateId, streamId, aggregateVersion, hasEvents, metadata },
    ...(streams.some((other) => other !== streamId) && { streams }),
    ...(whose !== undefined && { tenant: whose }),
    ...(reply !== undefined && { reply }),
  }
}

/** The result of a command that is completed, as it was then. Where that cannot be told any more, it took effect all the same. */
export async function resultOf(services: QueueServices, command: QueuedCommand): Promise<ExecutionResult> {
  try {
    return await readResult(services, command)
  } catch (thrown) {
    throw asExecuted(thrown, command)
  }
}

function asExecuted(thrown: unknown, { type }: QueuedCommand): unknown {
  if (thrown instanceof StreamClosedError) {
    return new StreamClosedError(thrown.streamId, thrown.state, { cause: thrown, outcome: 'executed' })
  }
  if (isEdictError(thrown) && thrown.outcome === 'executed') return thrown
  const what = `${type} took effect, but what it came to cannot be read: ${describeThrown(thrown)}`
  return new StoreError(what, { cause: thrown, outcome: 'executed' })
}

async function readResult(
  { dispatcher, dispatching }: QueueServices,
  { type, commandId, result }: QueuedCommand,
): Promise<ExecutionResult> {
  // Written by `storedResult`.
  const stored = result as StoredResult
  const { streamId, aggregateVersion, metadata, tenant } = stored
  const model = dispatcher.planFor(type)?.model
  if (model === undefined) {
    throw new UnregisteredCommandError(`${type} took effect, but nobody registers it here, so its result is unknown`, {
      outcome: 'executed',
    })
  }
  const { store, codec, snapshots } = dispatching
  const streams = stored.streams ?? (stored.hasEvents ? [streamId] : [])
  const lists = await Promise.all(streams.map(async (own) => store.readCommand(own, commandId)))
  const found = lists.flat().sort((one, other) => one.position - other.position)
  const events = await Promise.all(found.map(async (event) => codec.decode(event)))
  const stream = { model, streamId, tenant }
  const from = await snapshots.load(stream, aggregateVersion)
  const { state } =
    from.version === aggregateVersion
      ? from
      : await new Hydration(dispatching, stream, from, undefined, aggregateVersion).run()
  const reply = stored.reply === undefined ? undefined : fromJson(stored.reply.json)
  return new Executed(stored, aggregateVersion, Object.freeze(events.flat()), metadata, state, reply)
}
