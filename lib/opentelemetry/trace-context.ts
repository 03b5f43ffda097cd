import { createTraceState, trace, type Context, type SpanContext } from '@opentelemetry/api'
import type { Metadata } from '../messages/recorded-event.ts'

// The W3C's own format, whatever propagator a program has set up: what is stored today must be understood by whoever reads it later.

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

/** The trace context that metadata carries; undefined where it carries none that is valid. */
export function carriedSpan(metadata: Metadata): SpanContext | undefined {
  const { traceparent, tracestate } = metadata
  const found = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null
  if (found === null) return undefined
  const [, version, traceId = NO_TRACE, spanId = NO_SPAN, flags = '00', more] = found
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(typeof tracestate === 'string' && { traceState: createTraceState(tracestate) }),
  }
}

/** The trace context of a span, as metadata carries it on. */
export function carriedMetadata({ traceId, spanId, traceFlags, traceState }: SpanContext): Metadata {
  const flags = (traceFlags & 0xff).toString(16).padStart(2, '0')
  const state = traceState?.serialize()
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    ...(state !== undefined && state !== '' && { tracestate: state }),
  }
}

/** A context whose span is the one that metadata carries; the same context where it carries none. */
export function continued(context: Context, metadata: Metadata): Context {
  const span = carriedSpan(metadata)
  return span === undefined ? context : trace.setSpanContext(context, span)
}
