import { fileURLToPath } from 'node:url'
import { ServerProcess } from '../support/server-process.ts'
import type { DirectReader } from './direct-reader.ts'
import { until } from './node-process.ts'
import type { QueuePlant } from './planted-queue.ts'
import { DESK_PREFIX, deskApplication, TakeNumber } from './queue-app.ts'
import { pause, seededRandom } from './random.ts'

const module = fileURLToPath(new URL('queue-app.ts', import.meta.url))

export interface QueueRun {
  /** A file, or a connection string. */
  readonly address: string
  /** Reads past Edict. */
  readonly reader: DirectReader
  readonly desks: number
  /** Commands for each desk. */
  readonly numbers: number
  readonly servers: number
  readonly kills: number
  /** After how many events a server is killed. @default at moments that nobody chose */
  readonly killAt?: number
  readonly plant?: QueuePlant
  /** The run is over when so many events are there, though not all commands are done. @default all commands */
  readonly untilEvents?: number
}

/**
 * Queues commands while servers run them, kills one server after another, each of which gets a successor at once, and waits until all is
 * done. @returns everything that is wrong, in sentences
 */
export async function queueRun(run: QueueRun): Promise<readonly string[]> {
  const { address, desks, numbers, plant } = run
  const start = () =>
    ServerProcess.start(['--app', module, '--concurrency', '8', '--log-level', 'warn'], {
      DESKS_STORE: address,
      ...(plant && { DESKS_PLANT: plant }),
    })
  const app = deskApplication(address)
  await app.start()
  const servers = Array.from({ length: run.servers }, start)
  try {
    const queueing = (async () => {
      for (let number = 1; number <= numbers; number++) {
        const round = Array.from({ length: desks }, (_, desk) => TakeNumber({ desk: `${desk}`, number }))
        await Promise.all(round.map((one) => app.enqueue(one, { commandId: idOf(one.data.desk, number) })))
      }
    })()
    await Promise.all([queueing, killThem(run, servers, start)])
    const all = run.untilEvents ?? desks * numbers
    await until(
      async () => {
        const { delayed, queued, running } = (await app.commands.depth()).states
        return (await run.reader.head()) >= all || delayed + queued + running === 0
      },
      'all commands to be run',
      undefined,
      60_000 + desks * numbers * 20,
    )
    if (plant !== undefined) await atRest(run.reader)
    else {
      await until(async () => (await app.commands.depth()).states.completed === desks * numbers, 'all to be completed')
    }
    return await faults(run, (await app.commands.depth()).states)
  } finally {
    await Promise.all(servers.map((server) => server.kill()))
    await app.stop()
  }
}

function idOf(desk: string, number: number): string {
  return `${desk}.${number}`
}

/** Kills a server whenever so many more commands have been run, at moments that nobody chose; each gets a successor at once. */
async function killThem(run: QueueRun, servers: ServerProcess[], start: () => ServerProcess): Promise<void> {
  const { desks, numbers, kills, killAt, reader } = run
  const random = seededRandom(desks)
  for (let kill = 1; kill <= kills; kill++) {
    const wanted = killAt ?? Math.floor(((kill - 0.5 + random() / 2) / (kills + 0.5)) * desks * numbers)
    await until(async () => (await reader.head()) >= wanted, `${wanted} commands to be run`, undefined, 60_000)
    const index = kill % servers.length
    await servers[index]?.kill()
    servers[index] = start()
  }
}

/** A bug may have written down what is still to come: waits until nothing comes for a while. */
async function atRest(reader: DirectReader): Promise<void> {
  for (let before = -1, now = await reader.head(); before < now;) {
    before = now
    await pause(500)
    now = await reader.head()
  }
}

/** So many faults of one kind are named at most. */
const MOST_NAMED = 3

async function faults(
  { reader, desks, numbers }: QueueRun,
  states: Readonly<Record<string, number>>,
): Promise<readonly string[]> {
  const taken = new Map<string, number[]>()
  const otherwise: string[] = []
  for (const { streamId, commandId, data } of await reader.rowsAfter(0)) {
    const desk = streamId.slice(DESK_PREFIX.length)
    const { number } = JSON.parse(data) as { readonly number: number }
    taken.set(desk, [...(taken.get(desk) ?? []), number])
    if (commandId !== idOf(desk, number)) otherwise.push(`desk ${desk} took ${number} by the command ${commandId}`)
  }
  const twice: string[] = []
  const lost: string[] = []
  const disordered: string[] = []
  for (let desk = 0; desk < desks; desk++) {
    const found = taken.get(`${desk}`) ?? []
    const once = new Set(found)
    if (once.size < found.length) twice.push(`desk ${desk} took a number twice: ${found.join(' ')}`)
    if (once.size < numbers) lost.push(`desk ${desk} has lost numbers: ${found.join(' ')}`)
    if ([...once].some((number, index, all) => number < (all[index - 1] ?? 0))) {
      disordered.push(`desk ${desk} took numbers out of order: ${found.join(' ')}`)
    }
  }
  const unfinished = states['completed'] === desks * numbers ? [] : [`not all are completed: ${JSON.stringify(states)}`]
  return [
    ...(await reader.damage()),
    ...[twice, lost, disordered, otherwise, unfinished].flatMap((kind) => kind.slice(0, MOST_NAMED)),
  ]
}
