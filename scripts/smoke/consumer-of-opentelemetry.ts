import { application, inMemoryEventStore, router } from 'edict'
import { observeMetrics, openTelemetry } from 'edict/opentelemetry'

const traced = application({
  name: 'traced',
  router: router('none', (none) => none),
  eventStore: inMemoryEventStore(),
  instrumentation: openTelemetry(),
})

export const end: () => void = observeMetrics(traced)
