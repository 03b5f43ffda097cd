import { SpanKind, type Attributes, type Link } from '@opentelemetry/api'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { CommandInfo, StartedOperation } from '../telemetry/operations.ts'
import { carriedSpan } from './trace-context.ts'

/** How an operation becomes a span. */
export interface SpanDescription {
  readonly name: string
  readonly kind: SpanKind
  readonly attributes: Attributes
  /** What carries the trace context that it goes on from. */
  readonly carrier: Metadata
  /** Whether it goes on from what its carrier says rather than from what is active: who is woken by an append acts for nobody there. */
  readonly fromCarrier: boolean
  readonly links: readonly Link[]
}

const NO_LINKS: readonly Link[] = []
const NO_METADATA: Metadata = {}

export function spanOf(operation: StartedOperation): SpanDescription {
  const { application } = operation
  const made = (
    subject: string,
    attributes: Attributes,
    carrier: Metadata = NO_METADATA,
    more: Partial<SpanDescription> = {},
  ): SpanDescription => ({
    name: `${operation.name} ${subject}`,
    kind: SpanKind.INTERNAL,
    attributes: { 'edict.application': application, ...attributes },
    carrier,
    fromCarrier: false,
    links: NO_LINKS,
    ...more,
  })
  const consumed = (subject: string, attributes: Attributes, event: RecordedEvent): SpanDescription =>
    made(subject, { ...attributes, ...eventAttributes(event) }, event.metadata, {
      kind: SpanKind.CONSUMER,
      fromCarrier: true,
    })
  switch (operation.name) {
    case 'dispatch':
    case 'execute':
      return made(operation.command, commandAttributes(operation), operation.metadata)
    case 'enqueue':
      return made(operation.command, commandAttributes(operation), operation.metadata, { kind: SpanKind.PRODUCER })
    case 'populate': {
      const { aggregate, streamId, fromVersion } = operation
      return made(aggregate, {
        'edict.aggregate': aggregate,
        'edict.stream_id': streamId,
        'edict.from_version': fromVersion,
      })
    }
    case 'append': {
      const { streams } = operation
      const [first] = streams
      const attributes = {
        'edict.stream_id': streams.map(({ streamId }) => streamId),
        'edict.events': streams.reduce((sum, { events }) => sum + events, 0),
      }
      return made(first?.category ?? '', attributes, first?.metadata, { kind: SpanKind.CLIENT })
    }
    case 'read':
      return made(operation.streamId ?? 'all', {}, NO_METADATA, { kind: SpanKind.CLIENT })
    case 'handle':
      return consumed(
        operation.handlerName,
        handlerAttributes(operation.handlerName, operation.attempt),
        operation.event,
      )
    case 'process': {
      const { processManager, instanceId, attempt, event } = operation
      const attributes = { ...handlerAttributes(processManager, attempt), 'edict.process_manager.instance': instanceId }
      return consumed(processManager, attributes, event)
    }
    case 'batch':
      return linked(
        made(operation.handlerName, handlerAttributes(operation.handlerName, operation.attempt)),
        operation.events,
      )
    case 'project':
      return linked(made(operation.projection, handlerAttributes(operation.projection)), operation.events)
  }
}

/** Several events have no one parent: the span links to all of theirs. */
function linked(description: SpanDescription, events: readonly RecordedEvent[]): SpanDescription {
  const contexts = events.map(({ metadata }) => carriedSpan(metadata)).filter((context) => context !== undefined)
  return {
    ...description,
    kind: SpanKind.CONSUMER,
    attributes: { ...description.attributes, 'edict.events': events.length },
    fromCarrier: true,
    links: contexts.map((context) => ({ context })),
  }
}

function commandAttributes(command: CommandInfo): Attributes {
  return {
    'edict.command': command.command,
    'edict.command_id': command.commandId,
    'edict.correlation_id': command.correlationId,
    'edict.causation_id': command.causationId,
    'edict.aggregate': command.aggregate,
    'edict.stream_id': command.streamId,
    ...tenantAttribute(command.tenant),
  }
}

function eventAttributes({ type, eventId, streamId, position, correlationId, tenant }: RecordedEvent): Attributes {
  return {
    'edict.event': type,
    'edict.event_id': eventId,
    'edict.stream_id': streamId,
    'edict.position': position,
    'edict.correlation_id': correlationId,
    ...tenantAttribute(tenant),
  }
}

function tenantAttribute(tenant: string | undefined): Attributes {
  return tenant === undefined ? {} : { 'edict.tenant': tenant }
}

function handlerAttributes(handlerName: string, attempt?: number): Attributes {
  return { 'edict.handler': handlerName, ...(attempt !== undefined && { 'edict.attempt': attempt }) }
}
