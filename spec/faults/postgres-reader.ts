import pg from 'pg'
import type { DirectReader } from './direct-reader.ts'

/** Reconnects for each look, as what it looks at may have been restarted in between. */
export function postgresReader(connectionString: string): DirectReader {
  let client: Promise<pg.Client> | undefined
  const connect = async (): Promise<pg.Client> => {
    const opened = new pg.Client({ connectionString, statement_timeout: 30_000 })
    const forget = () => (client = undefined)
    opened.on('error', forget)
    opened.on('end', forget)
    try {
      await opened.connect()
      return opened
    } catch (thrown) {
      client = undefined
      throw thrown
    }
  }
  const all = async <Row extends pg.QueryResultRow>(sql: string, ...parameters: unknown[]): Promise<Row[]> => {
    const { rows } = await (await (client ??= connect())).query<Row>(sql, parameters)
    return rows
  }
  return {
    rowsAfter: async (position) => {
      const rows = await all<Record<'position' | 'streamId' | 'version' | 'eventId' | 'commandId' | 'data', string>>(
        `SELECT position, stream_id AS "streamId", stream_version AS version, event_id AS "eventId", command_id AS "commandId", data
          FROM edict.events WHERE position > $1 ORDER BY position`,
        position,
      )
      return rows.map((row) => ({ ...row, position: Number(row.position), streamVersion: Number(row.version) }))
    },
    head: async () => {
      const [row] = await all<{ head: string }>('SELECT coalesce(max(position), 0) AS head FROM edict.events')
      return Number(row?.head)
    },
    streamVersions: async () => {
      const rows = await all<{ id: string; version: string }>('SELECT stream_id AS id, version FROM edict.streams')
      return new Map(rows.map(({ id, version }) => [id, Number(version)]))
    },
    checkpoints: async () => {
      const rows = await all<Record<'name' | 'position' | 'epoch', string>>(
        'SELECT name, position, epoch FROM edict.checkpoints',
      )
      return rows.map(({ name, position, epoch }) => ({ name, position: Number(position), epoch: Number(epoch) }))
    },
    projected: async () => {
      const rows = await all<Record<'position' | 'streamId' | 'total', string>>(
        'SELECT position, stream_id AS "streamId", total FROM counted ORDER BY number',
      )
      return rows.map(({ position, streamId, total }) => ({
        streamId,
        position: Number(position),
        total: Number(total),
      }))
    },
    // A broken page, or a row of the table that an index does not have, is an error of the statement.
    damage: async () => [],
    close: async () => (await client)?.end(),
  }
}
