import { createReadStream, fstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'

/** The input could not be read: the path is wrong, the file is not ours to read, the disk fails. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError'
}

/** The bytes of a file, or of standard input where the path is `-`, and how far they have been read. */
export class CommandFile implements AsyncIterable<Buffer> {
  readonly #path: string
  /** Undefined where nobody knows, as with a pipe. */
  readonly bytes: number | undefined
  bytesRead = 0
  #stream: Readable | undefined
  #closed = false

  private constructor(path: string, bytes: number | undefined) {
    this.#path = path
    this.bytes = bytes
  }

  static async at(path: string): Promise<CommandFile> {
    try {
      const found = path === '-' ? fstatSync(process.stdin.fd) : await stat(path)
      if (found.isDirectory()) throw new Error('it is a directory')
      return new CommandFile(path, found.isFile() ? found.size : undefined)
    } catch (error) {
      unreadable(path, error)
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    this.#stream = this.#path === '-' ? process.stdin : createReadStream(this.#path)
    if (this.#closed) this.#stream.destroy()
    try {
      // Neither stream has an encoding, so that both give bytes.
      for await (const chunk of this.#stream as AsyncIterable<Buffer>) {
        this.bytesRead += chunk.length
        yield chunk
      }
    } catch (error) {
      if (!this.#closed) unreadable(this.#path, error)
    }
  }

  /** Reads no further, as if the file ended here. */
  close(): void {
    this.#closed = true
    this.#stream?.destroy()
  }
}

function unreadable(path: string, cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause)
  throw new UnreadableFileError(`cannot read ${path === '-' ? 'standard input' : path}: ${why}`, { cause })
}
