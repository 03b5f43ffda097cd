// The binding to OpenTelemetry, which needs the package @opentelemetry/api.
export { openTelemetry, type OpenTelemetryOptions } from './open-telemetry.ts'
export { observeMetrics, type ObserveMetricsOptions } from './observe-metrics.ts'
