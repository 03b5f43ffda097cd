import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DirectReader } from './direct-reader.ts'
import { violations } from './invariants.ts'
import { LineFollower, type Handled, type LedgerLine } from './ledger.ts'
import { NodeProcess, until } from './node-process.ts'
import type { NodeConfiguration, Plant, StoreConfiguration } from './node-configuration.ts'
import { postgresReader } from './postgres-reader.ts'
import { pause, seededRandom } from './random.ts'
import { sqliteReader } from './sqlite-reader.ts'

export interface ClusterOptions {
  /** Where the store is; a SQLite file in the cluster's own directory where it is left out. */
  readonly store?: StoreConfiguration
  /** The store of the nodes, where they reach it by another way than the spec does. */
  readonly nodeStore?: StoreConfiguration
  readonly writes?: boolean
  readonly handles?: boolean
  readonly projects?: boolean
  readonly plants?: readonly Plant[]
  /** Whether a database that crashed may remember an older place of a handler than it told. @default false */
  readonly placesMayGoBack?: boolean
  /** Milliseconds. @default 700 */
  readonly lease?: number
  /** Whether the nodes give PostgreSQL up soon where it does not answer. @default false */
  readonly impatient?: boolean
  /** Of the moments at which something happens. */
  readonly seed?: number
}

/** What a node is doing when it is killed. */
export type Moment = 'acknowledged' | 'handling' | 'projecting'

const LANES = 5
const COMMANDS = 150
/** A node is killed after so many signs of what it does at most, and so many milliseconds. */
const MOST_SIGNS = 40
const MOST_DELAY = 5
/** How often the spec's own reader looks, in milliseconds. */
const LOOK_EVERY = 10

/** Some nodes over one store, and all that is known of them from outside. */
export class Cluster implements AsyncDisposable {
  readonly directory: string
  readonly reader: DirectReader
  readonly #options: ClusterOptions
  readonly #store: StoreConfiguration
  readonly #random: () => number
  readonly #ledgers: NodeProcess[] = []
  readonly #handled: LineFollower<Handled>
  readonly #seen: number[] = []
  readonly #reading: Promise<void>
  readonly #places = new Map<string, number>()
  readonly #setbacks: string[] = []
  nodes: NodeProcess[] = []
  #closed = false

  private constructor(directory: string, options: ClusterOptions) {
    this.directory = directory
    this.#options = options
    this.#store = options.store ?? { kind: 'sqlite', path: join(directory, 'events.db') }
    this.reader =
      this.#store.kind === 'sqlite' ? sqliteReader(this.#store.path) : postgresReader(this.#store.connectionString)
    this.#random = seededRandom(options.seed ?? 1)
    this.#handled = new LineFollower(join(directory, 'handled.ndjson'))
    this.#reading = this.#read()
  }

  static async start(options: ClusterOptions, nodes = 2): Promise<Cluster> {
    const cluster = new Cluster(await mkdtemp(join(tmpdir(), 'edict-faults-')), options)
    try {
      for (let count = 1; count <= nodes; count++) cluster.launch(`writer-${count}`)
      await Promise.all(cluster.nodes.map((node) => node.said('started')))
      return cluster
    } catch (thrown) {
      await cluster[Symbol.asyncDispose]()
      throw thrown
    }
  }

  async add(writer: string, limits: { readonly fileLimit?: number } = {}): Promise<NodeProcess> {
    const node = this.launch(writer, limits)
    await node.said('started')
    return node
  }

  /** The next life of a writer. Its node is on its way when this returns. */
  launch(writer: string, limits: { readonly fileLimit?: number } = {}): NodeProcess {
    const {
      writes = true,
      handles = true,
      projects = true,
      plants = [],
      lease = 700,
      nodeStore,
      impatient,
    } = this.#options
    const earlier = this.#ledgers.filter(({ name }) => name.startsWith(`${writer}:`)).map(({ path }) => path)
    const configuration: NodeConfiguration = {
      node: `${writer}:${this.#ledgers.length + 1}`,
      store: nodeStore ?? this.#store,
      lease,
      projects,
      plants,
      ...limits,
      ...(impatient !== undefined && { impatient }),
      ...(writes && { writer: { name: writer, lanes: LANES, commands: COMMANDS, earlier } }),
      ...(handles && { handled: join(this.directory, 'handled.ndjson') }),
    }
    const node = NodeProcess.start(configuration, this.directory)
    this.#ledgers.push(node)
    this.nodes.push(node)
    return node
  }

  /** Kills the node that does it, while it does it. */
  async killWhile(moment: Moment): Promise<NodeProcess> {
    const killed = await this.oneThatIs(moment)
    await this.kill(killed)
    return killed
  }

  /** A node that does it, while it does it. */
  async oneThatIs(moment: Moment): Promise<NodeProcess> {
    const signs = 1 + Math.floor(this.#random() * MOST_SIGNS)
    const before = new Map(this.nodes.map((node) => [node, node.count(moment)]))
    let victim: NodeProcess | undefined
    await until(
      () => {
        victim = this.nodes.find((node) => node.count(moment) >= (before.get(node) ?? 0) + signs)
        return victim !== undefined
      },
      `a node that is ${moment}`,
      () => {
        this.assertAlive()
      },
    )
    await pause(this.#random() * MOST_DELAY)
    // It was found, or the wait had thrown.
    return victim as NodeProcess
  }

  /** Asks a node to end, as often as is said, and waits until it has. */
  async terminate(node: NodeProcess, signals = 1): Promise<void> {
    for (let signal = 1; signal <= signals; signal++) {
      node.terminate()
      if (signal < signals) await pause(this.#random() * MOST_DELAY)
    }
    await node.ended()
    this.nodes = this.nodes.filter((one) => one !== node)
  }

  async kill(node: NodeProcess): Promise<void> {
    this.nodes = this.nodes.filter((one) => one !== node)
    await node.kill()
  }

  /** A number below a bound, from the seed. */
  random(bound: number): number {
    return Math.floor(this.#random() * bound)
  }

  assertAlive(): void {
    for (const node of this.nodes) node.assertAlive()
  }

  get handled(): readonly Handled[] {
    this.#handled.look()
    return this.#handled.lines
  }

  /** Lets the writers end, and waits until handler and projection have reached the last event. */
  async settle(): Promise<void> {
    const { handles = true, projects = true } = this.#options
    await Promise.all(this.nodes.map((node) => node.quiet()))
    const head = await this.reader.head()
    const alive = () => {
      this.assertAlive()
    }
    if (handles) {
      await untilReached(() => this.handled.at(-1)?.position ?? 0, head, `event ${head} to be handled`, alive)
    }
    if (projects) {
      const projected = async () => (await this.reader.projected()).at(-1)?.position ?? 0
      await untilReached(projected, head, `event ${head} to be projected`, alive)
    }
    await this.readerIsThere()
  }

  /** Waits until the spec's own reader has come to the last event. */
  async readerIsThere(): Promise<void> {
    const head = await this.reader.head()
    await until(() => (this.#seen.at(-1) ?? 0) >= head, 'the reader of the spec')
  }

  /** What is wrong, in sentences. */
  async violations(): Promise<string[]> {
    const { handles = true, projects = true } = this.#options
    const ledgers: (readonly LedgerLine[])[] = this.#ledgers.map(({ lines }) => lines)
    const handled = handles ? this.handled : undefined
    const found = await violations(this.reader, { ledgers, handled, projects, seen: this.#seen })
    return this.#options.placesMayGoBack === true ? found : [...found, ...this.#setbacks]
  }

  /** Reads what is new, all the while, as any reader does who goes on from where it was. */
  async #read(): Promise<void> {
    while (!this.#closed) {
      try {
        const rows = await this.reader.rowsAfter(this.#seen.at(-1) ?? 0)
        for (const { position } of rows) this.#seen.push(position)
        for (const { name, position } of await this.reader.checkpoints()) {
          const before = this.#places.get(name) ?? 0
          if (position < before) this.#setbacks.push(`the place of ${name} went back from ${before} to ${position}`)
          this.#places.set(name, position)
        }
      } catch {
        // The store is not there yet, or not at the moment.
      }
      await pause(LOOK_EVERY)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all(this.nodes.map((node) => this.kill(node)))
    await this.#reading
    await this.reader.close()
    this.#handled.close()
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** Waits for a place to be reached, for as long as it comes nearer: a long run may leave a lot to be done. */
async function untilReached(
  place: () => number | Promise<number>,
  wanted: number,
  what: string,
  assertPossible: () => void,
): Promise<void> {
  for (let reached = await place(); reached < wanted; reached = await place()) {
    const before = reached
    await until(async () => (await place()) > before, what, assertPossible)
  }
}
