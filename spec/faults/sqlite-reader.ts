import Database from 'better-sqlite3'
import type { CheckpointRow, DirectReader, ProjectedRow, StoredRow } from './direct-reader.ts'

export function sqliteReader(path: string): DirectReader {
  let database: Database.Database | undefined
  // The file is there once a node has made it.
  const connection = () => (database ??= new Database(path, { readonly: true, fileMustExist: true, timeout: 5_000 }))
  const all = <Row>(sql: string, ...parameters: unknown[]) =>
    connection()
      .prepare<unknown[], Row>(sql)
      .all(...parameters)
  return {
    rowsAfter: async (position) =>
      all<StoredRow>(
        `SELECT position, s.stream_id AS streamId, version AS streamVersion, event_id AS eventId, command_id AS commandId, data
          FROM edict_events e JOIN edict_streams s ON s.id = e.stream WHERE position > ? ORDER BY position`,
        position,
      ),
    head: async () =>
      all<{ head: number }>('SELECT coalesce(max(position), 0) AS head FROM edict_events')[0]?.head ?? 0,
    streamVersions: async () => new Map(),
    checkpoints: async () => all<CheckpointRow>('SELECT name, position, epoch FROM edict_checkpoints'),
    projected: async () =>
      all<ProjectedRow>('SELECT position, stream_id AS streamId, total FROM counted ORDER BY number'),
    damage: async () =>
      all<{ integrity_check: string }>('PRAGMA integrity_check')
        .map((row) => row.integrity_check)
        .filter((text) => text !== 'ok'),
    close: async () => void database?.close(),
  }
}
