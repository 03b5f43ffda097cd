import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { application, type CommandState, type EventStore } from 'edict'
import { until } from './node-process.ts'
import { Step, stepsRouter } from './queue-domain.ts'
import { pause } from './random.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const program = fileURLToPath(new URL('queue-worker.ts', import.meta.url))

export interface QueueKills {
  readonly eventStore: EventStore
  /** What the worker processes are given to find the same events. */
  readonly worker: object
  readonly commands: number
  readonly walks: number
  readonly kills: number
}

/** What became of the events of one walk. */
export interface Walked {
  readonly walk: string
  readonly steps: readonly number[]
}

/** Enqueues many commands, has two processes run them, and kills one of these now and then; gives what there is in the end. */
export async function killWorkers({ eventStore, worker, commands, walks, kills }: QueueKills): Promise<{
  readonly walked: readonly Walked[]
  readonly states: Readonly<Record<CommandState, number>>
}> {
  const app = application({ name: 'taker', router: stepsRouter, eventStore })
  await app.start()
  const workers = [startWorker(worker), startWorker(worker)]
  try {
    const perWalk = commands / walks
    // Those of one walk one after another, so that there is an order to be kept; all walks beside each other.
    const enqueued = Promise.all(
      Array.from({ length: walks }, async (_, walk) => {
        for (let number = 1; number <= perWalk; number++) await app.enqueue(Step({ walk: String(walk), number }))
      }),
    )
    for (let kill = 1; kill <= kills; kill++) {
      const share = (commands * kill) / (kills + 2)
      await until(
        async () => (await app.commands.depth()).states.completed >= share,
        `${share} commands`,
        undefined,
        60_000,
      )
      await pause(Math.random() * 20)
      const [killed] = workers.splice(0, 1)
      killed?.kill('SIGKILL')
      workers.push(startWorker(worker))
    }
    await enqueued
    const over = async () => (await app.commands.depth()).states.completed === commands
    await until(over, 'all commands to be over', undefined, 120_000)
    const walked: Walked[] = []
    for (let walk = 0; walk < walks; walk++) {
      const { events } = await eventStore.readStream(`walk-${walk}`, { maxCount: perWalk * 2 })
      const steps = events.map(({ data }) => (JSON.parse(data as string) as { number: number }).number)
      walked.push({ walk: String(walk), steps })
    }
    return { walked, states: (await app.commands.depth()).states }
  } finally {
    for (const one of workers) one.kill('SIGKILL')
    await Promise.all(workers.map(async (one) => one.exitCode ?? one.signalCode ?? (await once(one, 'close'))))
    await app.stop()
  }
}

function startWorker(worker: object): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(worker)], {
    cwd: repository,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
