import { Option, type Command } from 'commander'
import type { EventStore, ReadAllOptions } from '../event-store/event-store.ts'
import { isOwnFact } from '../event-store/own-facts.ts'
import { readAllEvents, readStreamEvents } from '../event-store/read.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import { storedTypes } from '../messages/upcaster.ts'
import { list, wholeNumber } from './arguments.ts'
import { usageError } from './cli-error.ts'
import type { Cli, CommonOptions } from './cli.ts'
import { eventTree, treeText } from './event-tree.ts'
import { followEvents } from './follow-events.ts'
import type { LoadedApplication } from './load-application.ts'
import { eventLine, shownEvents, type ShownEvent } from './shown-event.ts'

export interface EventsOptions extends CommonOptions {
  readonly stream?: string
  readonly type?: readonly string[]
  readonly category?: string
  readonly tenant?: string
  readonly correlation?: string
  readonly from?: number
  readonly limit?: number
  readonly follow?: true
  readonly tree?: true
  readonly internal?: true
}

/** So many of the last ones are shown where nothing else is said. */
const LAST = 20

export function addEvents(program: Command, cli: Cli): void {
  cli
    .command(program, 'events', 'show stored events: the last ones, or those that are asked for')
    .option('--stream <id>', 'only of this stream')
    .option('--type <types>', 'only of these types; with commas between, or several times', list)
    .option('--category <aggregate>', 'only of streams of this aggregate')
    .option('--tenant <id>', 'only of this tenant')
    .option('--correlation <id>', 'only of this correlation: all of them')
    .option('--from <position>', 'from this position on; of a stream, from this version', wholeNumber(1))
    .option(
      '--limit <count>',
      `at most so many; the last ${LAST} where nothing is said of where to begin`,
      wholeNumber(1),
    )
    .option('--follow', 'go on with those that come, until it is stopped')
    .addOption(new Option('--tree', 'with --correlation: each command below what caused it').conflicts('follow'))
    .option('--internal', "show Edict's own facts too, such as parked events")
    .action(async (options: EventsOptions) => {
      check(options)
      await cli.withStore(options, (loaded) => (options.tree ? showTree : showList)(cli, loaded, options))
    })
}

function check({ stream, category, tenant, correlation, tree, follow }: EventsOptions): void {
  if (tree && correlation === undefined) throw usageError('--tree shows one correlation: name it with --correlation')
  if (stream === undefined) return
  if (follow) throw usageError('--follow follows all streams: filter them by --category or --type instead of --stream')
  if (category !== undefined || tenant !== undefined || correlation !== undefined) {
    throw usageError('--stream is one stream: --category, --tenant and --correlation choose among all')
  }
}

async function showTree(cli: Cli, loaded: LoadedApplication, options: EventsOptions): Promise<void> {
  const events: ShownEvent[] = []
  for await (const event of wanted(loaded, options)) events.push(event)
  const trees = eventTree(events)
  await cli.answer(options, trees, () => treeText(trees))
}

async function showList(cli: Cli, loaded: LoadedApplication, options: EventsOptions): Promise<void> {
  for await (const event of wanted(loaded, options)) await cli.item(options, event, () => eventLine(event))
}

/** In the order of positions. */
async function* wanted(
  { inside }: LoadedApplication,
  options: EventsOptions,
): AsyncGenerator<ShownEvent, void, undefined> {
  const types = options.type && new Set(options.type)
  for await (const stored of storedEvents(inside.store, filterOf(inside, options), options)) {
    if (!options.internal && isOwnFact(stored)) continue
    for (const event of await shownEvents(stored, inside.services.codec)) {
      if (types === undefined || types.has(event.type) || event.unreadable !== undefined) yield event
    }
  }
}

function filterOf({ definition }: LoadedApplication['inside'], options: EventsOptions): ReadAllOptions {
  const { type, category, tenant, correlation } = options
  return {
    // Upcasting may make an event of this type of a stored one of another.
    ...(type && { types: new Set([...type, ...storedTypes(new Set(type), definition.upcasters)]) }),
    ...(category !== undefined && { category }),
    ...(tenant !== undefined && { tenant }),
    ...(correlation !== undefined && { correlationId: correlation }),
  }
}

async function* storedEvents(
  store: EventStore,
  filter: ReadAllOptions,
  { stream, from, limit, correlation, follow }: EventsOptions,
): AsyncGenerator<StoredEvent, void, undefined> {
  const isWhole = from !== undefined || correlation !== undefined
  if (stream !== undefined) {
    yield* isWhole
      ? readStreamEvents(store, stream, { ...(from && { fromVersion: from }), ...(limit && { maxCount: limit }) })
      : await lastOnes(readStreamEvents(store, stream, { direction: 'backward', maxCount: limit ?? LAST }))
    return
  }
  if (!follow) {
    yield* isWhole
      ? readAllEvents(store, { ...filter, ...(from && { fromPosition: from }), ...(limit && { maxCount: limit }) })
      : await lastOnes(readAllEvents(store, { ...filter, direction: 'backward', maxCount: limit ?? LAST }))
    return
  }
  if (isWhole) return yield* followEvents(store, from ?? 1, filter)
  const head = await store.headPosition()
  if (head > 0) {
    const before = { ...filter, fromPosition: head, direction: 'backward', maxCount: limit ?? LAST } as const
    yield* await lastOnes(readAllEvents(store, before))
  }
  yield* followEvents(store, head + 1, filter)
}

/** Read from the last one back, and turned round. */
async function lastOnes(backward: AsyncIterable<StoredEvent>): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = []
  for await (const event of backward) events.push(event)
  return events.reverse()
}
