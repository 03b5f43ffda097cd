import { Option, type Command } from 'commander'
import type { Direction, ReadAllOptions } from '../event-store/event-store.ts'
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
/** Of the last ones no more are read at a time, where somebody asks for many. */
const MOST_AT_A_TIME = 1_000

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
  const { store } = inside
  const { stream, from, limit, correlation, follow } = options
  const filter = filterOf(inside, options)
  const read = (direction: Direction, first = from): AsyncIterable<StoredEvent> => {
    const page = {
      direction,
      ...(direction === 'backward' && { batchSize: Math.min(MOST_AT_A_TIME, limit ?? LAST) }),
    }
    return stream === undefined
      ? readAllEvents(store, { ...filter, ...page, ...(first && { fromPosition: first }) })
      : readStreamEvents(store, stream, { ...page, ...(first && { fromVersion: first }) })
  }
  const isWhole = from !== undefined || correlation !== undefined
  if (follow) {
    const head = isWhole ? (from ?? 1) - 1 : await store.headPosition()
    if (!isWhole && head > 0) yield* await lastOf(shownOf(inside, options, read('backward', head)), limit ?? LAST)
    yield* firstOf(shownOf(inside, options, followEvents(store, head + 1, filter)), Infinity)
  } else if (isWhole) yield* firstOf(shownOf(inside, options, read('forward')), limit ?? Infinity)
  else yield* await lastOf(shownOf(inside, options, read('backward')), limit ?? LAST)
}

/** What is shown of each stored event: mostly one. Counted afterwards, since some are hidden, and upcasting makes several of one, or none. */
async function* shownOf(
  { services }: LoadedApplication['inside'],
  { type, internal }: EventsOptions,
  storedEvents: AsyncIterable<StoredEvent>,
): AsyncGenerator<readonly ShownEvent[], void, undefined> {
  const types = type && new Set(type)
  for await (const stored of storedEvents) {
    if (!internal && isOwnFact(stored)) continue
    const shown = await shownEvents(stored, services.codec)
    yield shown.filter((event) => types === undefined || types.has(event.type) || event.unreadable !== undefined)
  }
}

async function* firstOf(
  forward: AsyncIterable<readonly ShownEvent[]>,
  count: number,
): AsyncGenerator<ShownEvent, void, undefined> {
  let left = count
  for await (const events of forward) {
    for (const event of events) {
      yield event
      if (--left === 0) return
    }
  }
}

/** Read from the last one back, and turned round. */
async function lastOf(backward: AsyncIterable<readonly ShownEvent[]>, count: number): Promise<readonly ShownEvent[]> {
  const lists: (readonly ShownEvent[])[] = []
  let found = 0
  for await (const events of backward) {
    lists.push(events)
    found += events.length
    if (found >= count) break
  }
  return lists.reverse().flat().slice(-count)
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
