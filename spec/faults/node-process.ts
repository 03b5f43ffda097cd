import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LineFollower, type LedgerLine } from './ledger.ts'
import type { NodeConfiguration } from './node-configuration.ts'
import { pause } from './random.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const program = fileURLToPath(new URL('node.ts', import.meta.url))

const living = new Set<ChildProcess>()
// A run that is ended in the middle leaves no node behind, not even one that is paused.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

export type LineOf<Kind extends LedgerLine['kind']> = Extract<LedgerLine, { readonly kind: Kind }>

/** A running node, as the spec that started it sees it. */
export class NodeProcess {
  readonly name: string
  /** The file of what it says of itself. */
  readonly path: string
  readonly #ledger: LineFollower<LedgerLine>
  readonly #child: ChildProcess
  readonly #errors: string
  readonly #ended: Promise<void>
  readonly #counts = new Map<LedgerLine['kind'], number>()
  #killed = false
  #closed = false

  private constructor(configuration: NodeConfiguration, directory: string) {
    this.name = configuration.node
    this.path = join(directory, `${configuration.node}.ndjson`)
    this.#errors = join(directory, `${configuration.node}.errors`)
    const output = openSync(this.path, 'a')
    const errors = openSync(this.#errors, 'a')
    const [command, ...args] = commandFor(configuration)
    this.#child = spawn(command, args, { cwd: repository, stdio: ['pipe', output, errors] })
    closeSync(output)
    closeSync(errors)
    this.#ledger = new LineFollower(this.path)
    living.add(this.#child)
    // One that was killed does not read what it is told.
    this.#child.stdin?.on('error', () => undefined)
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        living.delete(this.#child)
        resolve()
      })
    })
  }

  static start(configuration: NodeConfiguration, directory: string): NodeProcess {
    return new NodeProcess(configuration, directory)
  }

  /** Everything that it has said by now. */
  get lines(): readonly LedgerLine[] {
    this.#look()
    return this.#ledger.lines
  }

  count(kind: LedgerLine['kind']): number {
    this.#look()
    return this.#counts.get(kind) ?? 0
  }

  #look(): void {
    if (this.#closed) return
    for (const { kind } of this.#ledger.look()) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
  }

  of<Kind extends LedgerLine['kind']>(kind: Kind): LineOf<Kind>[] {
    return this.lines.filter((line): line is LineOf<Kind> => line.kind === kind)
  }

  /** Waits until it has said so many of a kind. */
  async said(kind: LedgerLine['kind'], count = 1): Promise<void> {
    await until(
      () => this.count(kind) >= count,
      `${count} × ${kind} of ${this.name}`,
      () => this.assertAlive(),
    )
  }

  /** @throws where it has ended by itself, with what it said last */
  assertAlive(): void {
    if (this.#killed || (this.#child.exitCode === null && this.#child.signalCode === null)) return
    const errors = readFileSync(this.#errors, 'utf8')
    throw new Error(`${this.name} ended by itself: ${JSON.stringify(this.lines.slice(-3))}\n${errors}`)
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    this.#killed = true
    this.#child.kill('SIGKILL')
    await this.#ended
    this.#look()
    this.#ledger.close()
    this.#closed = true
  }

  /** Asks it to end, as one asks a service to. */
  terminate(): void {
    this.#killed = true
    this.#child.kill('SIGTERM')
  }

  /** 0 where it has ended by itself and as it should; undefined where it has not ended by itself. */
  get exitCode(): number | undefined {
    return this.#child.exitCode ?? undefined
  }

  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /** Its writer ends when what it has sent is answered. */
  async quiet(): Promise<void> {
    const before = this.count('quiet')
    this.#child.stdin?.write('quiet\n')
    await this.said('quiet', before + 1)
  }

  /** Waits until it has ended by itself. */
  async ended(): Promise<void> {
    await this.#ended
  }
}

function commandFor(configuration: NodeConfiguration): [string, ...string[]] {
  const node: [string, ...string[]] = [process.execPath, '--import', 'tsx', program, JSON.stringify(configuration)]
  const { fileLimit } = configuration
  if (fileLimit === undefined) return node
  // To write beyond the limit is an error then, as on a disk that is full, and not the end of the process.
  return ['sh', '-c', `trap '' XFSZ; ulimit -f ${fileLimit}; exec "$0" "$@"`, ...node]
}

/** Looks often until a condition holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  assertPossible: () => void = () => undefined,
  patience = 60_000,
): Promise<void> {
  const deadline = Date.now() + patience
  while (!(await holds())) {
    assertPossible()
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await pause(4)
  }
}
