import { existsSync, readFileSync } from 'node:fs'

const HEADER = 32
const FRAME_HEADER = 24
const PAGE_SIZE_AT = 8
/** In a frame's header: the size of the database after the commit, or 0 where the frame is not the last one of a commit. */
const SIZE_AFTER_COMMIT_AT = 4

/** How many transactions the write-ahead log of a file holds, counted in the log itself. */
export function commitsInLog(path: string): number {
  const log = `${path}-wal`
  if (!existsSync(log)) return 0
  const bytes = readFileSync(log)
  if (bytes.length < HEADER) return 0
  const frame = FRAME_HEADER + bytes.readUInt32BE(PAGE_SIZE_AT)
  let commits = 0
  for (let at = HEADER; at + frame <= bytes.length; at += frame) {
    if (bytes.readUInt32BE(at + SIZE_AFTER_COMMIT_AT) > 0) commits++
  }
  return commits
}
