import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Prints piece by piece, no faster than the reader reads, and stops where the reader has gone (`… | head`). */
export async function print(pieces: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), process.stdout, { end: false })
  } catch (error) {
    if (!isBrokenPipe(error)) throw error
  }
}

/** Nobody listens any more: no reason to fail. */
export function ignoreBrokenPipe(stream: NodeJS.WritableStream): void {
  stream.on('error', (error) => {
    if (!isBrokenPipe(error)) throw error
  })
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}
