import { metrics, type BatchObservableCallback, type Meter, type Observable } from '@opentelemetry/api'
import type { Application } from '../application/application-type.ts'
import { checkOptions } from '../event-store/argument-checks.ts'

/** What metrics are observed with. */
export interface ObserveMetricsOptions {
  /** What makes the instruments. @default the meter `edict` of the meter provider that is registered now */
  readonly meter?: Meter
}

/**
 * Shows the metrics of a running application to OpenTelemetry: those of `application.metrics()`, asked for at each collection, and the
 * durations of dispatches.
 *
 * @example
 * import { observeMetrics } from 'edict/opentelemetry'
 *
 * const end = observeMetrics(bank)
 * end()
 *
 * @returns a function that ends it
 */
export function observeMetrics(
  application: Pick<Application<unknown>, 'name' | 'on' | 'metrics'>,
  options: ObserveMetricsOptions = {},
): () => void {
  checkOptions('observeMetrics', options, ['meter'])
  const meter = options.meter ?? metrics.getMeter('edict')
  const gauge = (name: string, description: string, unit = '1') =>
    meter.createObservableGauge(`edict.${name}`, { description, unit })
  const counter = (name: string, description: string) =>
    meter.createObservableCounter(`edict.${name}`, { description, unit: '1' })
  const ofHandlers = {
    lagEvents: gauge('handler.lag.events', 'stored events after the place of a handler'),
    lagSeconds: gauge('handler.lag.seconds', 'age of the first event after the place of a handler', 's'),
    retries: counter('handler.retries', 'events that a handler was given again'),
    skipped: counter('handler.skipped', 'events that a handler skipped'),
    parked: counter('handler.parked', 'events that were set aside'),
  } as const
  const running = gauge('handler.running', '1 where a handler runs, 0 where it has stopped')
  const ofApplication = {
    conflicts: counter('conflicts', 'appends that another append came before'),
    dispatchesUnderWay: gauge('dispatches.under_way', 'dispatches that are not answered yet'),
    liveAggregates: gauge('aggregates.live', 'aggregates in memory'),
    waitingCommands: gauge('mailbox.waiting', 'commands that wait for their aggregate'),
    deepestMailbox: gauge('mailbox.deepest', 'commands that wait for the aggregate for which most wait'),
  } as const
  const ofCommands = {
    queued: gauge('commands.queued', 'stored commands that are due, and wait for a worker'),
    delayed: gauge('commands.delayed', 'stored commands that wait for their time'),
    running: gauge('commands.running', 'stored commands that are run'),
    dead: gauge('commands.dead', 'dead letters'),
    oldestSeconds: gauge('commands.oldest.seconds', 'how long the oldest waiting command has been due', 's'),
  } as const
  const attempts = counter('commands.attempts', 'attempts of this node at stored commands, by how they ended')
  const dispatches = counter('dispatches', 'dispatches, by outcome')
  const duration = meter.createHistogram('edict.dispatch.duration', { description: 'of dispatches', unit: 'ms' })

  const base = { 'edict.application': application.name }
  const observe: BatchObservableCallback = async (observed) => {
    // One that does not run has nothing to say.
    const all = await application.metrics().catch(() => undefined)
    if (all === undefined) return
    for (const [key, instrument] of Object.entries(ofApplication)) {
      observed.observe(instrument, all[key as keyof typeof ofApplication], base)
    }
    for (const [outcome, count] of Object.entries(all.dispatches)) {
      observed.observe(dispatches, count, { ...base, 'edict.outcome': outcome })
    }
    if (all.commands !== undefined) {
      for (const [key, instrument] of Object.entries(ofCommands)) {
        observed.observe(instrument, all.commands[key as keyof typeof ofCommands], base)
      }
      for (const [state, count] of Object.entries(all.commands.attempts)) {
        observed.observe(attempts, count, { ...base, 'edict.state': state })
      }
    }
    for (const [name, handler] of Object.entries(all.handlers)) {
      const attributes = { ...base, 'edict.handler': name }
      observed.observe(running, handler.running ? 1 : 0, attributes)
      for (const [key, instrument] of Object.entries(ofHandlers)) {
        observed.observe(instrument, handler[key as keyof typeof ofHandlers], attributes)
      }
    }
  }
  const instruments = [ofApplication, ofHandlers, ofCommands].flatMap((some): Observable[] => Object.values(some))
  instruments.push(dispatches, running, attempts)
  meter.addBatchObservableCallback(observe, instruments)
  const ends = (['dispatch:stop', 'dispatch:exception'] as const).map((name) =>
    application.on(name, ({ command, outcome, duration: milliseconds }) => {
      duration.record(milliseconds, { ...base, 'edict.command': command, 'edict.outcome': outcome })
    }),
  )
  return () => {
    meter.removeBatchObservableCallback(observe, instruments)
    for (const end of ends) end()
  }
}
