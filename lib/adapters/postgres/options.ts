import type { PoolConfig } from 'pg'
import { InvalidOptionError } from '../../errors.ts'
import { checkObject, checkOptionalWhole, checkOptions, shown } from '../../event-store/argument-checks.ts'
import { SchemaName } from './schema-name.ts'

/** What is handed on to `pg` as it is. */
type DriverOptions = Pick<
  PoolConfig,
  | 'connectionString'
  | 'host'
  | 'port'
  | 'user'
  | 'password'
  | 'database'
  | 'ssl'
  | 'application_name'
  | 'connectionTimeoutMillis'
  | 'idleTimeoutMillis'
  | 'maxLifetimeSeconds'
  | 'maxUses'
  | 'keepAlive'
  | 'keepAliveInitialDelayMillis'
>

/** Where the database is, in `pg`'s own words (`connectionString`, `host`, `ssl`, …), and how the store uses it. */
export interface PostgresEventStoreOptions extends DriverOptions {
  /** The schema of the store's tables: up to 40 letters, digits and underscores. Several stores share a database by a schema each. @default 'edict' */
  readonly schema?: string
  /** The most connections at once; one more listens. @default 10 */
  readonly maxConnections?: number
  /** Milliseconds that the database may spend on one statement. @default 30_000 */
  readonly statementTimeout?: number
  /** Whether `open` brings the tables up to date where they are missing or older. @default true */
  readonly migrate?: boolean
  /**
   * Where to listen for the appends of others: behind a pooler in transaction mode, past which the notifications do not come, a
   * connection string of the server itself, or `false` to rely on polling. @default the same place
   */
  readonly listen?: { readonly connectionString: string } | false
}

export interface CheckedOptions {
  readonly schema: SchemaName
  readonly pool: PoolConfig
  /** Undefined where nobody listens. */
  readonly listener: PoolConfig | undefined
  readonly statementTimeout: number
  readonly migrate: boolean
}

const WHERE = 'postgresEventStore'
const DRIVER_OPTIONS = [
  'connectionString',
  'host',
  'port',
  'user',
  'password',
  'database',
  'ssl',
  'application_name',
  'connectionTimeoutMillis',
  'idleTimeoutMillis',
  'maxLifetimeSeconds',
  'maxUses',
  'keepAlive',
  'keepAliveInitialDelayMillis',
]
const OPTIONS = [...DRIVER_OPTIONS, 'schema', 'maxConnections', 'statementTimeout', 'migrate', 'listen']

/** Milliseconds that a connection may take, where `pg` itself would wait for ever. */
const CONNECTION_TIMEOUT_MS = 10_000
/** PostgreSQL counts its timeouts in 32 bits, and so do timers. */
const LONGEST_TIMEOUT_MS = 2_000_000_000

/** @throws {InvalidOptionError} `invalid_option` */
export function checkedOptions(options: PostgresEventStoreOptions, where = WHERE): CheckedOptions {
  checkObject(where, 'the options', options)
  checkOptions(where, options, OPTIONS)
  const { schema = 'edict', maxConnections = 10, statementTimeout = 30_000, migrate = true, listen, ...given } = options
  checkOptionalWhole(where, 'maxConnections', maxConnections, 1)
  checkOptionalWhole(where, 'statementTimeout', statementTimeout, 1)
  if (statementTimeout > LONGEST_TIMEOUT_MS) {
    throw new InvalidOptionError(`${where}: statementTimeout must be at most ${LONGEST_TIMEOUT_MS} ms`)
  }
  if (typeof migrate !== 'boolean') {
    throw new InvalidOptionError(`${where}: migrate must be true or false, not ${shown(migrate)}`)
  }
  checkConnection(where, options)
  checkListen(listen)
  const connection: PoolConfig = {
    application_name: 'edict',
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    keepAlive: true,
    ...given,
  }
  return {
    schema: new SchemaName(where, schema),
    pool: { ...connection, max: maxConnections },
    listener: listen === false ? undefined : { ...connection, ...listen },
    statementTimeout,
    migrate,
  }
}

/** What a connection string says too; `pg` would pass over one of the two without a word. */
const SAID_TWICE = ['host', 'port', 'user', 'password', 'database'] as const

/** An unset variable of the environment must not lead to whatever server happens to be on this machine. */
function checkConnection(where: string, options: PostgresEventStoreOptions): void {
  if (!('connectionString' in options)) return
  checkConnectionString(where, options.connectionString)
  const twice = SAID_TWICE.find((option) => options[option] !== undefined)
  if (twice === undefined) return
  throw new InvalidOptionError(`${where}: give either connectionString or ${twice}, since the one says the other too`)
}

function checkConnectionString(where: string, connectionString: unknown): void {
  if (typeof connectionString === 'string' && /^(postgres(ql)?:\/\/|socket:|\/)/.test(connectionString)) return
  throw new InvalidOptionError(
    // It may hold a password: it is not shown.
    `${where}: connectionString must be a URL such as postgres://user:password@host:5432/database; the one given is ` +
      (typeof connectionString === 'string' ? `a text that begins otherwise` : shown(connectionString)),
  )
}

function checkListen(listen: unknown): void {
  if (listen === undefined || listen === false) return
  if (typeof listen !== 'object' || listen === null) {
    throw new InvalidOptionError(`${WHERE}: listen must be false or { connectionString }, not ${shown(listen)}`)
  }
  checkOptions(`${WHERE}: listen`, listen, ['connectionString'])
  const { connectionString } = listen as { readonly connectionString?: unknown }
  checkConnectionString(`${WHERE}: listen`, connectionString)
}
