import { lagOf } from '../application/application-metrics.ts'
import type { ApplicationInside } from '../application/inside.ts'
import type { Runner } from '../application/runners.ts'
import type { CheckpointState } from '../event-store/checkpoint.ts'
import { handlerCheckpoints } from '../subscribers/partition-names.ts'
import { checkpointOf } from '../subscribers/projection-generation.ts'
import { notFound } from './cli-error.ts'

/** What the store knows of a handler, whichever process runs it. */
export interface HandlerPlace {
  readonly name: string
  readonly kind: 'event handler' | 'process manager' | 'projection'
  /**
   * `owned`: some process has its place, and keeps its lease. `free`: none does: it is stopped everywhere, or has failed.
   * `new`: it has never run.
   */
  readonly state: 'owned' | 'free' | 'new'
  /** Every event up to here is handled, or of no interest; of all its partitions. */
  readonly position: number
  /** How many events are stored from the first one on that it has still to handle. */
  readonly lagEvents: number
  /** How old that one is, in seconds. */
  readonly lagSeconds: number
  /** How many places it has. */
  readonly partitions: number
  /** How many of them some process has. */
  readonly owned: number
  readonly owners: readonly string[]
  /** How many events it has set aside; a projection sets none aside. */
  readonly parked: number
}

/** Those of an application that does not run here, and whose store is open. `runners` are its own, not started. */
export async function handlerPlaces(
  inside: ApplicationInside,
  runners: readonly Runner[],
): Promise<readonly HandlerPlace[]> {
  const head = await inside.store.headPosition()
  const places: HandlerPlace[] = []
  for (const runner of runners) places.push(await placeOf(inside, runner, head))
  return places
}

async function placeOf(inside: ApplicationInside, runner: Runner, head: number): Promise<HandlerPlace> {
  const { name } = runner
  const { store, definition, services } = inside
  const kind = kindOf(inside, name)
  const found = kind === 'projection' ? await projectionPlaces(inside, name) : await ownPlaces(inside, name)
  const partitions = definition.handlers.find((one) => one.name === name)?.model.concurrency ?? 1
  const position = found.length < partitions ? 0 : Math.min(...found.map((checkpoint) => checkpoint.position))
  const { types, selects } = services.board.handler(name) ?? { types: new Set<string>(), selects: undefined }
  const lag = await lagOf(
    { store, codec: services.codec, upcasters: definition.upcasters, clock: definition.clock },
    { position, types, selects },
    head,
  )
  const owners = found.flatMap(({ owner }) => owner ?? [])
  return {
    ...{ name, kind, position, ...lag, partitions, owners: [...new Set(owners)], owned: owners.length },
    state: found.length === 0 ? 'new' : owners.length > 0 ? 'owned' : 'free',
    parked: 'parked' in runner ? (await runner.status()).parked : 0,
  }
}

function kindOf({ definition }: ApplicationInside, name: string): HandlerPlace['kind'] {
  if (definition.projections.some((one) => one.name === name)) return 'projection'
  return definition.processManagers.some((one) => one.name === name) ? 'process manager' : 'event handler'
}

/** Those of the layout that the definition says, or of an earlier one that is still to be taken over from. */
async function ownPlaces({ store, definition }: ApplicationInside, name: string): Promise<readonly CheckpointState[]> {
  const { layouts } = handlerCheckpoints(name, await store.listCheckpoints(name))
  const count = definition.handlers.find((one) => one.name === name)?.model.concurrency ?? 1
  const layout = layouts.get(count) ?? [...layouts.values()][0]
  return layout === undefined ? [] : [...layout.values()]
}

/** That of the generation that readers see. */
async function projectionPlaces({ store }: ApplicationInside, name: string): Promise<readonly CheckpointState[]> {
  const { projections } = store
  const publication = await projections?.transaction((tx) => projections.readPublication(tx, name))
  const wanted = publication && checkpointOf(publication)
  return (await store.listCheckpoints(`${name}:`)).filter((checkpoint) => checkpoint.name === wanted)
}

/** @throws {CliError} where the application has none of this name */
export function runnerNamed({ name }: ApplicationInside, runners: readonly Runner[], handler: string): Runner {
  const found = runners.find((runner) => runner.name === handler)
  if (found !== undefined) return found
  const known = runners.map((runner) => runner.name).join(', ')
  throw notFound(
    `the application ${name} has no handler ${handler}; ${known === '' ? 'it has none at all' : `it has ${known}`}`,
  )
}
