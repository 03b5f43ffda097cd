import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const program = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url))

const living = new Set<ChildProcess>()
// A run that is ended in the middle leaves no server behind.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** A line of a server's log. */
export interface LogLine {
  readonly level: string
  readonly message: string
  readonly pid: number
  readonly worker?: number
  readonly port?: number
}

/** A running `edict server`, as the spec that started it sees it. */
export class ServerProcess {
  readonly log: LogLine[] = []
  /** What it wrote that is no line of a log. */
  readonly other: string[] = []
  readonly #child: ChildProcess
  readonly #exit: Promise<number | undefined>
  #looked: () => void = () => undefined
  #isOver = false

  private constructor(words: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', program, 'server', ...words], {
      cwd: repository,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    living.add(this.#child)
    const { stdout, stderr } = this.#child
    if (stdout === null || stderr === null) throw new Error('a process with pipes has pipes')
    createInterface({ input: stdout }).on('line', (line) => {
      this.#hear(line)
    })
    createInterface({ input: stderr }).on('line', (line) => this.other.push(line))
    this.#exit = once(this.#child, 'close').then(([code]) => {
      living.delete(this.#child)
      this.#isOver = true
      this.#looked()
      return typeof code === 'number' ? code : undefined
    })
  }

  static start(words: readonly string[], env: NodeJS.ProcessEnv = {}): ServerProcess {
    return new ServerProcess(words, env)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  #hear(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogLine)
    } catch {
      this.other.push(line)
    }
    this.#looked()
  }

  /** Waits until it has logged something so many times. */
  async logged(message: string, count = 1): Promise<LogLine> {
    for (;;) {
      const found = this.log.filter((line) => line.message === message)
      const last = found[count - 1]
      if (last !== undefined) return last
      if (this.#isOver) throw new Error(`the server has ended: ${JSON.stringify(this.log)} ${this.other.join('\n')}`)
      await new Promise<void>((resolve) => (this.#looked = resolve))
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** What it ended with; undefined where a signal ended it. */
  exit(): Promise<number | undefined> {
    return this.#exit
  }

  /** Ends it without a word, where it has not ended. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }
}
