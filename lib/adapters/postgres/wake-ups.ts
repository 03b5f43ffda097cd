import { EventEmitter } from 'eventemitter3'
import { backoffDelay } from '../../effects/backoff.ts'
import { randomIds, systemRandom } from '../../effects/ids.ts'
import type { Client, PoolConfig } from 'pg'
import type { Database } from './database.ts'
import { Notifier } from './notifier.ts'
import type { SchemaName } from './schema-name.ts'
import { cut } from './silence.ts'

/** Milliseconds between looks at whether the listening connection still answers, and for its answer. */
const HEARTBEAT_INTERVAL_MS = 10_000
const HEARTBEAT_TIMEOUT_MS = 5_000
/** Milliseconds that a connection may take to say goodbye. */
const END_TIMEOUT_MS = 500
/** Milliseconds: how long it waits before it connects anew. */
const RECONNECT = { base: 100, longest: 5_000 }

/**
 * Wakes those who watch the store, on this node and on others. Nothing depends on it but time: a wake-up that is lost is made up for
 * by the poll behind every watch, and no failure here reaches an append or a read.
 */
export class WakeUps {
  readonly #database: Database
  readonly #listening: PoolConfig | undefined
  readonly #channel: string
  readonly #commandsChannel: string
  readonly #watchers = new EventEmitter<{ appended: [headPosition?: number]; commands: [] }>()
  readonly #ofEvents: Notifier
  readonly #ofCommands: Notifier
  /** By which it knows its own notifications of commands. */
  readonly #id = randomIds().next()
  #told = 0
  #client: Client | undefined
  #failures = 0
  #closed = false
  #reconnect: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined

  constructor(database: Database, listening: PoolConfig | undefined, schema: SchemaName) {
    this.#database = database
    this.#listening = listening
    this.#channel = schema.channel
    this.#commandsChannel = schema.commandsChannel
    this.#ofEvents = new Notifier(database, schema.channel, highest)
    this.#ofCommands = new Notifier(database, schema.commandsChannel, latest)
  }

  /** Listens from the first watch on. */
  watch(listener: (headPosition?: number) => void): () => void {
    this.#watchers.on('appended', listener)
    this.#listenAtLast()
    return () => void this.#watchers.off('appended', listener)
  }

  /** The same, of commands. */
  watchCommands(listener: () => void): () => void {
    this.#watchers.on('commands', listener)
    this.#listenAtLast()
    return () => void this.#watchers.off('commands', listener)
  }

  /** To be called after the commit of an append. */
  appended(headPosition: number): void {
    this.#tell(headPosition)
    this.#ofEvents.notify(`${headPosition}`)
  }

  /** To be called after a commit by which commands may have become due, or are over. */
  commandsChanged(): void {
    this.#watchers.emit('commands')
    this.#ofCommands.notify(this.#id)
  }

  #tell(headPosition: number): void {
    if (headPosition <= this.#told) return
    this.#told = headPosition
    this.#watchers.emit('appended', headPosition)
  }

  #listenAtLast(): void {
    if (this.#client === undefined && this.#reconnect === undefined) this.#listen()
  }

  #listen(): void {
    this.#reconnect = undefined
    if (this.#closed || this.#listening === undefined) return
    const client = new this.#database.driver.Client(this.#listening)
    this.#client = client
    let lost = false
    const lose = () => {
      if (lost) return
      lost = true
      this.#lose(client)
    }
    client.on('error', lose)
    client.on('end', lose)
    client.on('notification', ({ channel, payload }) => {
      if (channel === this.#commandsChannel) {
        if (payload !== this.#id) this.#watchers.emit('commands')
        return
      }
      const headPosition = Number(payload)
      if (Number.isSafeInteger(headPosition)) this.#tell(headPosition)
    })
    this.#begin(client, lose).catch(lose)
  }

  async #begin(client: Client, lose: () => void): Promise<void> {
    await client.connect()
    await client.query(`LISTEN "${this.#channel}"; LISTEN "${this.#commandsChannel}"`)
    if (this.#client !== client) return
    this.#failures = 0
    // What was appended in between was told to nobody here; and a database that was put back to a backup begins anew.
    this.#told = 0
    this.#watchers.emit('appended')
    this.#watchers.emit('commands')
    this.#beat(client, lose)
  }

  /** A connection that died without a word looks like one that has nothing to tell. */
  #beat(client: Client, lose: () => void): void {
    this.#heartbeat = setTimeout(() => {
      const patience = setTimeout(lose, HEARTBEAT_TIMEOUT_MS).unref()
      client
        .query('SELECT 1')
        .then(() => {
          if (this.#client === client) this.#beat(client, lose)
        }, lose)
        .finally(() => clearTimeout(patience))
    }, HEARTBEAT_INTERVAL_MS).unref()
  }

  #lose(client: Client): void {
    clearTimeout(this.#heartbeat)
    void discard(client)
    if (this.#client !== client) return
    this.#client = undefined
    if (this.#closed) return
    this.#failures++
    const delay = backoffDelay(RECONNECT, this.#failures, systemRandom)
    this.#reconnect = setTimeout(() => this.#listen(), delay).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#ofEvents.close()
    this.#ofCommands.close()
    this.#watchers.removeAllListeners()
    clearTimeout(this.#reconnect)
    clearTimeout(this.#heartbeat)
    const client = this.#client
    this.#client = undefined
    if (client !== undefined) await discard(client)
  }
}

function highest(before: string, next: string): string {
  return Number(before) > Number(next) ? before : next
}

function latest(_before: string, next: string): string {
  return next
}

/** Ends a connection, also one on which nobody answers. */
async function discard(client: Client): Promise<void> {
  const impatience = setTimeout(() => cut(client), END_TIMEOUT_MS)
  await client.end().catch(() => undefined)
  clearTimeout(impatience)
}
