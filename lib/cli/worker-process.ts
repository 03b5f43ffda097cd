import { fork, type ChildProcess } from 'node:child_process'
import process from 'node:process'
import type { ExitCode } from './exit-code.ts'
import type { Readiness } from './readiness.ts'
import { WORKER_VARIABLE, type FromWorker, type ToWorker } from './worker-channel.ts'

/** Milliseconds in which a worker has to answer. */
const ANSWER_PATIENCE = 4_000

const ENDED: Readiness = { ready: false, reasons: ['it has ended, and another one is to come'] }

export interface WorkerEnd {
  /** Undefined where a signal ended it. */
  readonly code: number | undefined
  readonly signal: string | undefined
  /** Whether it had come to run the application. */
  readonly hadStarted: boolean
  /** Why no other attempt would do better. */
  readonly hopeless: { readonly exitCode: ExitCode; readonly message: string } | undefined
}

/** One process of a server, as the one that watches over it sees it. */
export class WorkerProcess {
  readonly number: number
  readonly ended: Promise<WorkerEnd>
  readonly #child: ChildProcess
  readonly #answers = new Map<number, (readiness: Readiness) => void>()
  #questions = 0
  #hadStarted = false
  #isOver = false
  #hopeless: WorkerEnd['hopeless']

  constructor(number: number) {
    this.number = number
    const [program = '', ...words] = process.argv.slice(1)
    // What it writes goes where this one's output goes.
    this.#child = fork(program, words, { env: { ...process.env, [WORKER_VARIABLE]: `${number}` }, stdio: 'inherit' })
    this.#child.on('message', (message) => {
      this.#hear(message as FromWorker)
    })
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: string | null) => {
        if (this.#isOver) return
        this.#isOver = true
        for (const answer of this.#answers.values()) answer(ENDED)
        const hadStarted = this.#hadStarted
        resolve({ code: code ?? undefined, signal: signal ?? undefined, hadStarted, hopeless: this.#hopeless })
      }
      this.#child.once('exit', end)
      // It could not even be made.
      this.#child.once('error', () => end(null, null))
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get isOver(): boolean {
    return this.#isOver
  }

  drain(): void {
    this.#tell({ kind: 'drain' })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  readiness(): Promise<Readiness> {
    if (this.#isOver) return Promise.resolve(ENDED)
    if (!this.#hadStarted) return Promise.resolve({ ready: false, reasons: ['it is being started'] })
    const question = ++this.#questions
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        settle({ ready: false, reasons: [`the process has not answered within ${ANSWER_PATIENCE} ms`] })
      }, ANSWER_PATIENCE)
      const settle = (readiness: Readiness) => {
        clearTimeout(timer)
        this.#answers.delete(question)
        resolve(readiness)
      }
      this.#answers.set(question, settle)
      this.#tell({ kind: 'ask', question })
    })
  }

  #tell(message: ToWorker): void {
    // One that has ended meanwhile is found out by its end.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'started') this.#hadStarted = true
    else if (message.kind === 'hopeless') this.#hopeless = message
    else this.#answers.get(message.question)?.(message.readiness)
  }
}
