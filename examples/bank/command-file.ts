import { createReadStream, fstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'

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
    const stream: AsyncIterable<Buffer> = this.#path === '-' ? process.stdin : createReadStream(this.#path)
    try {
      for await (const chunk of stream) {
        this.bytesRead += chunk.length
        yield chunk
      }
    } catch (error) {
      unreadable(this.#path, error)
    }
  }
}

function unreadable(path: string, cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause)
  throw new UnreadableFileError(`cannot read ${path === '-' ? 'standard input' : path}: ${why}`, { cause })
}
