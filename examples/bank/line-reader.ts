import { isUtf8 } from 'node:buffer'

/** A line of input by its number, from 1: its text, or why it has none. */
export type Line =
  | { readonly number: number; readonly text: string; readonly problem?: undefined }
  | { readonly number: number; readonly text?: undefined; readonly problem: string }

export const MAX_LINE_BYTES = 1024 * 1024

const NEWLINE = 0x0a
const BYTE_ORDER_MARK = '\uFEFF'
// What JSON calls white space. The `\r` of Windows line ends is part of it, so JSON.parse does not mind it either.
const BLANK = /^[ \t\r]*$/

/**
 * Splits a byte stream into lines, and gives them a chunk's worth at a time. Lines are split as bytes, before they are
 * decoded: so a character that two chunks share stays whole, and U+2028, at which `node:readline` splits, may stand in a
 * JSON string. Empty lines are counted and passed over.
 */
export async function* readLines(source: AsyncIterable<Buffer>): AsyncGenerator<readonly Line[], void> {
  // The beginning of a line whose end has not come yet. Of a line past the bound only the length is kept.
  const begun = Buffer.alloc(MAX_LINE_BYTES)
  let begunBytes = 0
  let number = 0

  const keep = (piece: Buffer) => {
    if (begunBytes + piece.length <= MAX_LINE_BYTES) begun.set(piece, begunBytes)
    begunBytes += piece.length
  }

  const finish = (piece: Buffer): Line => {
    number += 1
    if (begunBytes === 0 && piece.length <= MAX_LINE_BYTES) return decoded(number, piece)
    keep(piece)
    const bytes = begunBytes
    begunBytes = 0
    return bytes > MAX_LINE_BYTES
      ? { number, problem: `the line is longer than ${MAX_LINE_BYTES} bytes` }
      : decoded(number, begun.subarray(0, bytes))
  }

  for await (const chunk of source) {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = finish(chunk.subarray(start, end))
      if (!isBlank(line)) lines.push(line)
      start = end + 1
    }
    if (start < chunk.length) keep(chunk.subarray(start))
    if (lines.length > 0) yield lines
  }

  const last = finish(Buffer.alloc(0))
  if (!isBlank(last)) yield [last]
}

function decoded(number: number, bytes: Buffer): Line {
  // Otherwise what cannot be decoded would be replaced in silence, and be taken for somebody's name.
  if (!isUtf8(bytes)) return { number, problem: 'the line is not UTF-8' }
  const text = bytes.toString()
  return { number, text: number === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text }
}

function isBlank({ text }: Line): boolean {
  return text !== undefined && BLANK.test(text)
}
