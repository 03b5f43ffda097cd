import type { Command } from 'commander'
import { readAllEvents } from '../event-store/read.ts'
import { isOwnFact } from '../event-store/own-facts.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { StreamChangeOptions, StreamChangeResult, StreamInfo } from '../event-store/stream-info.ts'
import { wholeNumber } from './arguments.ts'
import { CliError, notFound } from './cli-error.ts'
import type { Cli, CommonOptions, ConfirmedOptions } from './cli.ts'
import { EXIT } from './exit-code.ts'
import { plainJson, printable } from './plain.ts'
import { fields } from './table.ts'

interface ListOptions extends CommonOptions {
  readonly category?: string
  readonly tenant?: string
  readonly after: number
  readonly limit: number
  readonly internal?: true
}

interface ChangeOptions extends ConfirmedOptions {
  readonly expectedVersion?: number
}

export function addStreams(program: Command, cli: Cli): void {
  const streams = program.command('streams').description('list, show, archive, restore and delete streams')
  cli
    .command(streams, 'list', 'list streams, in the order in which they began; looks through the events for it')
    .option('--category <aggregate>', 'only of this aggregate')
    .option('--tenant <id>', 'only of this tenant')
    .option('--after <position>', 'only those whose first event is behind this position', wholeNumber(0), 0)
    .option('--limit <count>', 'at most so many', wholeNumber(1), 100)
    .option('--internal', "Edict's own streams too")
    .action((options: ListOptions) => cli.withStore(options, ({ inside }) => listStreams(cli, inside.store, options)))
  cli
    .command(streams, 'show <stream>', 'show what is known of a stream')
    .action((streamId: string, options: CommonOptions) =>
      cli.withStore(options, ({ inside }) => showStream(cli, inside.store, streamId, options)),
    )
  addChange('archive', 'close a stream until it is restored', (store, id, given) => store.archiveStream(id, given))
  addChange('restore', 'open an archived stream again', (store, id, given) => store.restoreStream(id, given))
  addChange('delete', 'erase what the events of a stream say, for good', (store, id, given) =>
    store.deleteStream(id, given),
  )

  function addChange(
    name: 'archive' | 'restore' | 'delete',
    description: string,
    change: (
      store: EventStore,
      id: string,
      options: StreamChangeOptions,
    ) => StreamChangeResult | PromiseLike<StreamChangeResult>,
  ): void {
    const asks = name === 'delete'
    const command = asks
      ? cli.destructive(streams, `${name} <stream>`, description)
      : cli.command(streams, `${name} <stream>`, description)
    command
      .option('--expected-version <version>', 'only while the stream is at just this version', wholeNumber(0))
      .action((streamId: string, options: ChangeOptions) =>
        cli.withStore(options, async ({ inside: { store } }) => {
          if (asks) await confirmDeletion(cli, store, streamId, options)
          const { expectedVersion } = options
          const result = await change(store, streamId, expectedVersion === undefined ? {} : { expectedVersion })
          const info = changed(streamId, result)
          await cli.answer(options, info, () => `${printable(streamId)} is ${info.state}\n`)
        }),
      )
  }
}

async function listStreams(cli: Cli, store: EventStore, options: ListOptions): Promise<void> {
  const { category, tenant, after, limit, internal } = options
  let left = limit
  const filter = { ...(category !== undefined && { category }), ...(tenant !== undefined && { tenant }) }
  for await (const event of readAllEvents(store, { ...filter, fromPosition: after + 1 })) {
    if (event.streamVersion !== 1 || (isOwnFact(event) && !internal)) continue
    const info = await store.readStreamInfo(event.streamId)
    if (info === undefined) continue
    const { streamId, streamVersion, state } = info
    const beganAt = new Date(event.createdAt)
    await cli.item(
      options,
      { streamId, category: info.category, streamVersion, state, firstPosition: event.position, beganAt },
      () => `${event.position}  ${printable(streamId)}  ${printable(info.category)}  ${streamVersion}  ${state}\n`,
    )
    if (--left === 0) return
  }
}

async function showStream(cli: Cli, store: EventStore, streamId: string, options: CommonOptions): Promise<void> {
  const info = await store.readStreamInfo(streamId)
  if (info === undefined) throw unknown(streamId)
  const [first] = (await store.readStream(streamId, { maxCount: 1 })).events
  const [last] = (await store.readStream(streamId, { maxCount: 1, direction: 'backward' })).events
  const snapshot = await store.readSnapshot(streamId)
  const shown = {
    ...info,
    ...(first?.tenant !== undefined && { tenant: first.tenant }),
    ...(first && { firstPosition: first.position, beganAt: new Date(first.createdAt) }),
    ...(last && { lastPosition: last.position, changedAt: new Date(last.createdAt) }),
    ...(snapshot && { snapshotVersion: snapshot.streamVersion }),
  }
  await cli.answer(options, shown, () =>
    fields([
      ['stream', streamId],
      ['category', info.category],
      ['version', info.streamVersion],
      ['state', info.state],
      ['tenant', shown.tenant],
      ['first event', first && `position ${first.position}, ${new Date(first.createdAt).toISOString()}`],
      ['last event', last && `position ${last.position}, ${new Date(last.createdAt).toISOString()}`],
      ['snapshot', snapshot && `of version ${snapshot.streamVersion}`],
      ['metadata', plainJson(info.metadata)],
    ]),
  )
}

async function confirmDeletion(cli: Cli, store: EventStore, streamId: string, options: ChangeOptions): Promise<void> {
  const info = await store.readStreamInfo(streamId)
  if (info === undefined) throw unknown(streamId)
  await cli.confirm(options, `what the ${info.streamVersion} events of ${printable(streamId)} say is erased for good`)
}

function changed(streamId: string, result: StreamChangeResult): StreamInfo {
  switch (result.status) {
    case 'changed':
      return result.stream
    case 'unknown_stream':
      throw unknown(streamId)
    case 'version_conflict':
      throw new CliError(`${streamId} is at version ${result.actual}: nothing was changed`, EXIT.failure)
    case 'stream_closed':
      throw new CliError(`${streamId} is deleted, for good`, EXIT.failure)
  }
}

function unknown(streamId: string): CliError {
  return notFound(`there is no stream ${streamId}`)
}
