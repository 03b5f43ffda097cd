import { context, SpanStatusCode, trace, type Context, type Span, type Tracer } from '@opentelemetry/api'
import { InvalidOptionError, isEdictError } from '../errors.ts'
import { checkOptions } from '../event-store/argument-checks.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import { outcomeOf } from '../telemetry/dispatch-outcome.ts'
import type { Instrumentation } from '../telemetry/instrumentation.ts'
import { operationNames, type OperationName, type StartedOperation } from '../telemetry/operations.ts'
import { spanOf, type SpanDescription } from './span-of.ts'
import { carriedMetadata, continued } from './trace-context.ts'

/** What spans are made with, and of what. */
export interface OpenTelemetryOptions {
  /** What makes the spans. @default the tracer `edict` of the tracer provider that is registered when the first span begins */
  readonly tracer?: Tracer
  /** Which operations get a span. @default all but `read` */
  readonly operations?: readonly OperationName[]
}

const DEFAULT_OPERATIONS: readonly OperationName[] = operationNames.filter((name) => name !== 'read')

/**
 * Traces an application by OpenTelemetry: a span for each dispatch, execution, append and handled event, in one trace from the
 * caller to the last command that followed from it, on whichever node. The trace context (`traceparent` and `tracestate`) is carried on
 * in the metadata of commands and events.
 *
 * @example
 * import { openTelemetry } from 'edict/opentelemetry'
 *
 * const bank = application({ name: 'bank', router: bankRouter, eventStore: inMemoryEventStore(), instrumentation: openTelemetry() })
 *
 * @throws {InvalidOptionError} `invalid_option`
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Instrumentation {
  checkOptions('openTelemetry', options, ['tracer', 'operations'])
  const { operations = DEFAULT_OPERATIONS } = options
  const unknown = operations.find((name) => !operationNames.includes(name))
  if (unknown !== undefined) {
    throw new InvalidOptionError(
      `openTelemetry: there is no operation ${unknown}; there are ${operationNames.join(', ')}`,
    )
  }
  let { tracer } = options
  return {
    operations: Object.freeze([...operations]),
    around: (operation, work) => {
      tracer ??= trace.getTracer('edict')
      return traced(tracer, operation, work)
    },
  }
}

function traced<Result>(tracer: Tracer, operation: StartedOperation, work: (metadata?: Metadata) => Result): Result {
  const description = spanOf(operation)
  const { name, kind, attributes, links } = description
  const parent = parentOf(description)
  const span = tracer.startSpan(name, { kind, attributes, links: [...links] }, parent)
  const added =
    operation.name === 'dispatch' || operation.name === 'enqueue' ? carriedMetadata(span.spanContext()) : undefined
  let result: Result
  try {
    result = context.with(trace.setSpan(parent, span), work, undefined, added)
  } catch (error) {
    failed(span, error)
    throw error
  }
  if (!(result instanceof Promise)) {
    stopped(span, result)
    return result
  }
  // Whoever waits for the work is told by its own promise; this one only ends the span.
  result.then(
    (value: unknown) => {
      stopped(span, value)
    },
    (error: unknown) => {
      failed(span, error)
    },
  )
  return result
}

/** What is active where there is something, so that spans nest; else what the metadata carries. */
function parentOf({ carrier, fromCarrier }: SpanDescription): Context {
  if (fromCarrier) return continued(trace.deleteSpan(context.active()), carrier)
  const active = context.active()
  return trace.getSpanContext(active) === undefined ? continued(active, carrier) : active
}

function stopped(span: Span, result: unknown): void {
  // What dispatches and executions give; other operations have no version.
  const version = (result as { readonly aggregateVersion?: unknown } | null | undefined)?.aggregateVersion
  if (typeof version === 'number') span.setAttribute('edict.aggregate_version', version)
  span.end()
}

/** That the domain, or a middleware, says no is an answer, and no error of the program's. */
function failed(span: Span, error: unknown): void {
  if (isEdictError(error)) {
    const outcome = outcomeOf(error)
    span.setAttributes({ 'edict.outcome': outcome, 'edict.error_code': error.code })
    if (outcome === 'rejected' || outcome === 'halted') {
      span.end()
      return
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  span.recordException(error instanceof Error ? error : message)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
  span.end()
}
