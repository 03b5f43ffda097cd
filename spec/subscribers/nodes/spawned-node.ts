import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Dispatched, Handled, NodeOptions, NodeOrder, NodeReport } from './protocol.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

const living = new Set<ChildProcess>()
// A run that is ended in the middle leaves no node behind, not even one that is paused.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

type Timed<Report> = Report & { readonly at: number }

/** A process that runs the application, as the spec that started it sees it. */
export class SpawnedNode {
  readonly handled: Timed<Handled>[] = []
  readonly dispatched: Timed<Dispatched>[] = []
  errors = ''
  isStarted = false
  hasEnded = false
  /** Whether it did nothing for so long that it may have lost its place; one that the spec itself has paused, too. */
  stoodStill = false
  #orders = 0
  readonly #process: ChildProcess
  readonly #ended: Promise<void>

  constructor(options: NodeOptions) {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'spec/subscribers/nodes/node.ts', JSON.stringify(options)],
      { cwd: repository, stdio: 'pipe' },
    )
    this.#process = child
    living.add(child)
    // One that was killed does not read what it is told.
    child.stdin.on('error', () => undefined)
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#heard(JSON.parse(line) as Timed<NodeReport>)
    })
    child.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()))
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        living.delete(child)
        this.hasEnded = true
        resolve()
      })
    })
  }

  #heard(report: Timed<NodeReport>): void {
    const { at } = report
    if ('started' in report) this.isStarted = true
    else if ('handled' in report) this.handled.push({ ...report.handled, at })
    else if ('stoodStill' in report) this.stoodStill = true
    else if ('dispatched' in report) this.dispatched.push({ ...report.dispatched, at })
  }

  #order(order: NodeOrder): void {
    this.#process.stdin?.write(`${JSON.stringify(order)}\n`)
  }

  /** Dispatches with strong consistency on the node; the answer is in `dispatched`, under the number that this gives. */
  dispatch(id: string, by: number, consistencyTimeout = 30_000): number {
    const number = ++this.#orders
    this.#order({ dispatch: { number, id, by, consistencyTimeout } })
    return number
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Ends the process as a crash does. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  /** Stops the application, and the process with it. */
  async stop(): Promise<void> {
    this.#order({ stop: true })
    await this.#ended
  }
}
