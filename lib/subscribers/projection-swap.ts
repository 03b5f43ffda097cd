import { pause, type Clock } from '../effects/clock.ts'
import { DefinitionError, InvalidOptionError, type EdictError } from '../errors.ts'
import type { ProjectionStore, Publication } from '../event-store/projection-store.ts'
import { checkpointOf, isSame, type Generation } from './projection-generation.ts'
import type { ProjectionModel } from './projection-model.ts'
import { readPublished, refuseForeignTables } from './projection-publication.ts'
import type { ProjectionWriter } from './projection-writer.ts'

export interface SwapOptions {
  readonly projections: ProjectionStore
  readonly model: ProjectionModel
  readonly writer: ProjectionWriter
  readonly generation: Generation
  /** What readers see now. */
  readonly base: Publication
  readonly clock: Clock
  /** Every event up to here was read. */
  readonly readPosition: () => number
}

/**
 * - `published`: readers see the new generation, and the old one is gone
 * - `behind`: the old generation is further, and what it has was not read in time
 * - `obsolete`: readers see another generation than the one that this was to take the place of
 * - `refused`: as it is defined it can never be published
 */
export type SwapResult = 'published' | 'behind' | 'obsolete' | { readonly refused: EdictError }

/** How long the old generation is held up, in milliseconds, for the new one to read what the old one has. */
const PATIENCE_MS = 1_000
const LOOK_MS = 5

/**
 * Puts a new generation in the place of the old one, in one transaction. The old one is held meanwhile, so that it cannot go on:
 * else, under steady load, it would always be an event ahead of the new one, or of another owner's old code.
 */
export async function swapGenerations(options: SwapOptions): Promise<SwapResult> {
  const { projections } = options
  let swapped: Swapped | 'obsolete'
  try {
    swapped = await projections.transaction((tx) => swapIn(tx, options))
  } catch (error) {
    if (error instanceof Behind) return 'behind'
    if (error instanceof Refused) return { refused: error.refusal }
    throw error
  }
  if (swapped === 'obsolete') return 'obsolete'
  options.writer.wrote(swapped.passed, swapped.place)
  return 'published'
}

/** Thrown, so that what was projected in the hope of being in time is rolled back: its place is not written. */
class Behind extends Error {}

/** Tells what the store said to the place or the publication from the same, thrown while events were projected. */
class Refused extends Error {
  readonly refusal: EdictError

  constructor(refusal: EdictError) {
    super(refusal.message)
    this.refusal = refusal
  }
}

async function swapIn(tx: unknown, options: SwapOptions): Promise<Swapped | 'obsolete'> {
  const { projections, model, writer, generation, base, clock } = options
  if (!isSame(await readPublished(projections, tx, model), base)) return 'obsolete'
  // In the order of names, as leases are renewed, so that the two never wait for each other.
  const oldFirst = checkpointOf(base) < generation.checkpoint
  const early = oldFirst ? await projections.lockCheckpoint(tx, checkpointOf(base)) : undefined
  const held = await writer.tables.lock(tx)
  const old = oldFirst ? early : await projections.lockCheckpoint(tx, checkpointOf(base))
  const target = old?.position ?? 0
  const begun = clock.now()
  let passed = 0
  for (;;) {
    const [event] = writer.queue.first(passed + 1).slice(passed)
    if (event !== undefined) {
      try {
        await writer.tables.project(tx, event, 1)
      } catch (error) {
        const ended = await writer.tables.endOf(tx, held)
        throw ended === undefined ? error : new Refused(ended)
      }
      passed++
    } else if (reached(options, passed) >= target) break
    else if (clock.now() - begun >= PATIENCE_MS) throw new Behind()
    else await pause(clock, LOOK_MS)
  }
  const place = { position: reached(options, passed), index: 0 }
  const { position, index } = await orRefused(() => writer.tables.save(tx, held, place))
  await orRefused(() => publish(tx, options))
  await projections.deleteCheckpoint(tx, checkpointOf(base))
  await projections.dropTables(tx, Object.values(base.tables))
  return { passed, place: { position, index } }
}

async function publish(tx: unknown, { projections, model, generation, base }: SwapOptions): Promise<void> {
  await refuseForeignTables(projections, tx, model, base)
  if (base.name !== generation.name) {
    const { name, version, generation: number } = base
    await projections.publish(tx, { name, version, generation: number, tables: {}, replacedBy: generation.name })
  }
  await projections.publish(tx, generation)
  await projections.unpublish(tx, generation.beginning.name)
}

async function orRefused<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof DefinitionError || error instanceof InvalidOptionError ? new Refused(error) : error
  }
}

interface Swapped {
  readonly passed: number
  readonly place: { readonly position: number; readonly index: number }
}

/** Where the queue is through, everything that was read is handled. */
function reached({ writer, readPosition }: SwapOptions, passed: number): number {
  const { queue } = writer
  const place = queue.placeAfter(passed)
  return passed === queue.length ? Math.max(place.position, readPosition()) : place.position
}
