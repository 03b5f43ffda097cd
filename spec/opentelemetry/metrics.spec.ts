import { afterEach, expect, it } from '@jest/globals'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { eventHandler } from 'edict'
import { observeMetrics } from 'edict/opentelemetry'
import { Add, Added, counterRouter, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

it('the metrics of an application are shown to a meter, until that is ended', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 })
  const provider = new MeterProvider({ readers: [reader] })
  const stuck = eventHandler('stuck', { events: [Added], handle: () => new Promise<void>(() => undefined) })
  const app = await started({ name: 'measured', router: counterRouter, handlers: [stuck] })
  const end = observeMetrics(app, { meter: provider.getMeter('edict') })
  await app.dispatch(Add({ id: 'a', by: 1 }))
  await app.tryDispatch(Add({ id: 'a', by: -1 }))
  await reader.forceFlush()

  const points = new Map(
    exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => {
          const labels = [attributes['edict.outcome'], attributes['edict.handler']].filter(
            (label) => label !== undefined,
          )
          return [[descriptor.name, ...labels].join(' '), value] as const
        }),
      ),
  )
  expect(Object.fromEntries(points)).toMatchObject({
    'edict.dispatches executed': 1,
    'edict.dispatches rejected': 1,
    'edict.handler.lag.events stuck': 1,
    'edict.handler.running stuck': 1,
    'edict.handler.retries stuck': 0,
    'edict.aggregates.live': 1,
    'edict.conflicts': 0,
    'edict.dispatch.duration executed': { count: 1 },
    'edict.dispatch.duration rejected': { count: 1 },
  })

  end()
  exporter.reset()
  await app.dispatch(Add({ id: 'a', by: 1 }))
  await reader.forceFlush()
  const later = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap((scope) => scope.metrics)
    .filter(({ descriptor }) => descriptor.name === 'edict.dispatch.duration')
    .flatMap(({ dataPoints }) => dataPoints.map(({ value }) => value))
  expect(later).toMatchObject([{ count: 1 }, { count: 1 }])
  await provider.shutdown()
}, 180_000)
