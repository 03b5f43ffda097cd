import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

/** What a node says of itself, in a file that outlives it: a line is written whole before the node goes on. */
export type LedgerLine =
  | { readonly kind: 'starting' | 'started' | 'quiet' | 'stopped' }
  | {
      readonly kind: 'acknowledged'
      readonly commandId: string
      readonly versions: number[]
      readonly positions: number[]
    }
  | { readonly kind: 'refused'; readonly commandId: string; readonly outcome: string; readonly error: string }
  | { readonly kind: 'handling' | 'projecting'; readonly position: number }
  | { readonly kind: 'logged'; readonly level: string; readonly message: string }
  | { readonly kind: 'failed'; readonly code: string; readonly outcome: string; readonly error: string }

/** The effect of handling an event. All nodes write theirs into one file, whose order is that in which they came about. */
export interface Handled {
  readonly node: string
  readonly position: number
  readonly streamId: string
  readonly streamVersion: number
}

/** Appends lines to an open file at once: what is written has left the process when this returns. */
export function lineWriter<Line>(file: number): (line: Line) => void {
  return (line) => {
    writeSync(file, `${JSON.stringify(line)}\n`)
  }
}

export function readLines<Line>(path: string): Line[] {
  return linesOf<Line>(readFileSync(path, 'utf8')).lines
}

/** A last line that was cut off is no line. */
function linesOf<Line>(text: string): { readonly lines: Line[]; readonly rest: string } {
  const parts = text.split('\n')
  const rest = parts.pop() ?? ''
  return { lines: parts.map((line) => JSON.parse(line) as Line), rest }
}

/** Follows a file of lines while others write it. */
export class LineFollower<Line> {
  readonly lines: Line[] = []
  readonly #file: number
  readonly #buffer = Buffer.alloc(65_536)
  readonly #decoder = new StringDecoder('utf8')
  #offset = 0
  #rest = ''

  constructor(path: string) {
    this.#file = openSync(path, 'a+')
  }

  /** @returns what has come since the last look */
  look(): readonly Line[] {
    const known = this.lines.length
    for (;;) {
      const count = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#offset)
      if (count === 0) return this.lines.slice(known)
      this.#offset += count
      const { lines, rest } = linesOf<Line>(this.#rest + this.#decoder.write(this.#buffer.subarray(0, count)))
      this.lines.push(...lines)
      this.#rest = rest
    }
  }

  close(): void {
    closeSync(this.#file)
  }
}
