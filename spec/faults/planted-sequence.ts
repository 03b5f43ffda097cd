import type { EventStore, StreamAppend, StreamAppendResult } from 'edict'
import pg from 'pg'
import type { StoreConfiguration } from './node-configuration.ts'

/** Seconds. */
const LONGEST_COMMIT = 0.06

const INSERT = `INSERT INTO edict.events (position, stream_version, schema_version, created_at, data_format, stream_id, category,
  event_id, type, command_id, causation_id, correlation_id, content_type, metadata, data)
  VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11, $12, '{}', $13)`

/**
 * Appends to the tables of the PostgreSQL store as many event stores do: a position is drawn from a sequence, and seen by others only at
 * the commit, some time later. Whoever commits earlier may have drawn a later one.
 */
export async function appendBySequence(configuration: StoreConfiguration): Promise<EventStore['append']> {
  if (configuration.kind !== 'postgres') throw new Error('only PostgreSQL has several writers at a time')
  const pool = new pg.Pool({ connectionString: configuration.connectionString, max: 20 })
  pool.on('error', () => undefined)
  // PostgreSQL itself lets two who make the same thing at once collide, IF NOT EXISTS or not.
  await pool.query(`SELECT pg_advisory_lock(hashtext('planted_positions'));
    CREATE SEQUENCE IF NOT EXISTS planted_positions;
    SELECT pg_advisory_unlock(hashtext('planted_positions'))`)

  const appendOne = async ({ streamId, category, events }: StreamAppend): Promise<StreamAppendResult> => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const { rows: drawn } = await client.query<{ position: string }>(
        `SELECT nextval('planted_positions') AS position FROM generate_series(1, $1)`,
        [events.length],
      )
      await client.query('SELECT pg_sleep($1)', [Math.random() * LONGEST_COMMIT])
      const { rows } = await client.query<{ version: string }>(
        `INSERT INTO edict.streams AS s (stream_id, category, version) VALUES ($1, $2, $3)
          ON CONFLICT (stream_id) DO UPDATE SET version = s.version + excluded.version RETURNING version`,
        [streamId, category, events.length],
      )
      const streamVersion = Number(rows[0]?.version)
      for (const [index, event] of events.entries()) {
        await client.query(INSERT, [
          drawn[index]?.position,
          streamVersion - events.length + index + 1,
          event.schemaVersion,
          event.createdAt,
          streamId,
          category,
          event.eventId,
          event.type,
          event.commandId,
          event.causationId,
          event.correlationId,
          event.contentType,
          event.data,
        ])
      }
      await client.query('COMMIT')
      return { status: 'appended', streamVersion, firstPosition: Number(drawn[0]?.position) }
    } finally {
      // Ends the transaction, too, where it failed.
      client.release(true)
    }
  }
  return (streams) => Promise.all(streams.map(appendOne))
}
