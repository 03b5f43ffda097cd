import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, park, retry, skip, skipCommand, stop } from 'edict'
import type { Application, TelemetryEvents, TelemetryName } from 'edict'
import { telemetryNames } from '../../lib/telemetry/telemetry-events.ts'
import { add, addTo, copier } from '../subscribers/process-harness.ts'
import { Add, Added, counterRouter, recordingLogger, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

function toldBy(app: Pick<Application<unknown>, 'on'>, ...wanted: readonly string[]): string[] {
  const told: string[] = []
  for (const name of telemetryNames.filter((one) => wanted.includes(one.split(':')[0] ?? ''))) {
    app.on(name, (payload) => void told.push(described(name, payload)))
  }
  return told
}

function described(name: TelemetryName, payload: TelemetryEvents[TelemetryName]): string {
  const said = payload as unknown as Readonly<Record<string, unknown>> & {
    readonly event?: { readonly data: unknown }
    readonly events?: readonly { readonly data: unknown }[]
  }
  const data = (said.events ?? [said.event]).map((event) => (event?.data as { readonly by: number } | undefined)?.by)
  const count = said['attempt'] ?? said['failures'] ?? '-'
  return [name, said['instanceId'] ?? said['handlerName'], data.join('+'), count].map(String).join(' ')
}

describe('the telemetry of process managers', () => {
  it('tells of each event that an instance is given, and of retries, skips and stops', async () => {
    const manager = copier({
      handle: (_state, { by }) => {
        if (by > 1) throw new Error('no')
        return undefined
      },
      onError: (_error, { recorded }, { failures }) => {
        if (recorded.data.by === 3) return stop()
        return failures === 1 ? retry({ after: 1 }) : skip()
      },
    })
    const app = await started({ router: counterRouter, handlers: [manager], logger: recordingLogger() })
    const told = toldBy(app, 'process', 'handler')
    await add(app, 'a', 1, 2, 3)
    await until(() => told.some((line) => line.startsWith('handler:stop')))
    expect(told).toEqual([
      'process:start a 1 1',
      'process:stop a 1 1',
      'process:start a 2 1',
      'process:exception a 2 1',
      'handler:retry copier 2 1',
      'process:start a 2 2',
      'process:exception a 2 2',
      'handler:skip copier 2 2',
      'process:start a 3 1',
      'process:exception a 3 1',
      'handler:stop copier 3 -',
    ])
    expect((await app.metrics()).handlers['copier']).toMatchObject({
      ...{ position: 2, lagEvents: 1, retries: 1, skipped: 1, parked: 0, running: false },
    })
  })

  it('tells of a command that is tried again and then left out', async () => {
    const manager = copier({
      handle: () => Add({ id: 'to-a', by: -1 }),
      onError: (_error, _failure, { failures }) => (failures === 1 ? retry({ after: 1 }) : skipCommand()),
    })
    const app = await started({ router: counterRouter, handlers: [manager], logger: recordingLogger() })
    const told = toldBy(app, 'process', 'handler')
    await add(app, 'a', 1)
    await until(() => told.includes('process:stop a 1 1'))
    expect(told).toEqual(['process:start a 1 1', 'handler:retry copier 1 1', 'process:stop a 1 1'])
  })

  it('tells of events that are parked, also behind another one, and counts them', async () => {
    const manager = copier({ handle: () => Promise.reject(new Error('no')), onError: () => park() })
    const app = await started({ router: counterRouter, handlers: [manager], logger: recordingLogger() })
    const told = toldBy(app, 'handler')
    await add(app, 'a', 1, 2)
    await until(() => told.length === 2)
    expect(told).toEqual(['handler:park copier 1 1', 'handler:park copier 2 0'])
    expect((await app.metrics()).handlers['copier']).toMatchObject({ parked: 2, running: true })
  })
})

describe('the telemetry of batches', () => {
  it('tells of each batch, and of each of its events what became of it', async () => {
    let failing = true
    const batches = eventHandler('batches', {
      events: [Added],
      batchSize: 2,
      batchTimeout: 60_000,
      handleBatch: ([first]) => {
        if (failing && first?.data.by === 3) throw new Error('no')
      },
      onError: () => {
        failing = false
        return skip()
      },
    })
    const app = await started({ router: counterRouter, handlers: [batches], logger: recordingLogger() })
    const told = toldBy(app, 'batch', 'handler')
    for (const by of [1, 2, 3, 4]) await app.dispatch(addTo('a', by))
    await until(() => told.length === 6)
    expect(told).toEqual([
      'batch:start batches 1+2 1',
      'batch:stop batches 1+2 1',
      'batch:start batches 3+4 1',
      'batch:exception batches 3+4 1',
      'handler:skip batches 3 1',
      'handler:skip batches 4 1',
    ])
    expect((await app.metrics()).handlers['batches']).toMatchObject({ skipped: 2 })
  })
})

describe('the telemetry of a tenant', () => {
  it('says whose the command is, and which stream it is about', async () => {
    const app = await started({ router: counterRouter })
    const told: unknown[] = []
    for (const name of ['dispatch:start', 'execute:start', 'dispatch:exception'] as const)
      app.on(name, ({ tenant, streamId }) => void told.push([name, tenant, streamId]))
    await app.tryDispatch(Add({ id: 'a', by: -1 }), { tenant: 'acme' })
    const { streamId } = (await app.dispatch(Add({ id: 'a', by: 1 }), { tenant: 'acme' })).events[0] ?? {}
    expect(told).toEqual(
      ['dispatch:start', 'execute:start', 'dispatch:exception', 'dispatch:start', 'execute:start'].map((name) => [
        ...[name, 'acme', streamId],
      ]),
    )
  })
})
