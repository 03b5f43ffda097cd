import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { MAX_LINE_BYTES, readLines, type Line } from '../../examples/bank/line-reader.ts'

async function* stream(chunks: Iterable<Buffer>): AsyncGenerator<Buffer, void> {
  for (const chunk of chunks) yield chunk
}

async function linesOf(...chunks: readonly (string | Buffer)[]): Promise<Line[]> {
  const lines: Line[] = []
  for await (const batch of readLines(stream(chunks.map((chunk) => Buffer.from(chunk))))) lines.push(...batch)
  return lines
}

describe('the line reader of the bank example', () => {
  it('gives each line with its number', async () => {
    expect(await linesOf('one\ntwo\nthree\n')).toEqual([
      { number: 1, text: 'one' },
      { number: 2, text: 'two' },
      { number: 3, text: 'three' },
    ])
  })

  it('gives a last line that has no newline', async () => {
    expect(await linesOf('one\ntw', 'o')).toEqual([
      { number: 1, text: 'one' },
      { number: 2, text: 'two' },
    ])
  })

  it('passes over empty lines and counts them', async () => {
    expect(await linesOf('\n\none\n \t\n\r\ntwo\n\n')).toEqual([
      { number: 3, text: 'one' },
      { number: 6, text: 'two' },
    ])
  })

  it('gives nothing for an empty file', async () => {
    expect(await linesOf()).toEqual([])
    expect(await linesOf('')).toEqual([])
    expect(await linesOf('\uFEFF')).toEqual([])
  })

  it('leaves out a byte order mark at the beginning, and only there', async () => {
    expect(await linesOf('\uFEFFone\n\uFEFFtwo')).toEqual([
      { number: 1, text: 'one' },
      { number: 2, text: '\uFEFFtwo' },
    ])
  })

  it('splits at newlines only, not at what other alphabets or other systems call a line end', async () => {
    const [line, ...others] = await linesOf('a\u2028b\u2029c\u0085d\ve\ff\n')
    expect(line?.text).toBe('a\u2028b\u2029c\u0085d\ve\ff')
    expect(others).toEqual([])
  })

  it('says which line is not UTF-8, and goes on', async () => {
    expect(await linesOf('one\n', Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a]), 'three\n')).toEqual([
      { number: 1, text: 'one' },
      { number: 2, problem: 'the line is not UTF-8' },
      { number: 3, text: 'three' },
    ])
  })

  it('takes a line up to the bound, and says which line is beyond it', async () => {
    const longest = 'x'.repeat(MAX_LINE_BYTES)
    const lines = await linesOf(`${longest}\n`, `${longest}x\n`, longest.slice(1), 'x\nafter\n', 'x', longest)
    expect(lines.map(({ number, text, problem }) => [number, text?.length ?? problem])).toEqual([
      [1, MAX_LINE_BYTES],
      [2, 'the line is longer than 1048576 bytes'],
      [3, MAX_LINE_BYTES],
      [4, 5],
      [5, 'the line is longer than 1048576 bytes'],
    ])
  })

  it('gives the same lines wherever the chunks are cut', async () => {
    const character = fc.oneof(
      fc.constantFrom('\n', '\r\n', '\uFEFF', 'ß', '山', '𝄞', ' '),
      fc.string({ unit: 'binary' }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(character), fc.array(fc.nat(40)), async (characters, cuts) => {
        const bytes = Buffer.from(characters.join(''))
        const chunks: Buffer[] = []
        let start = 0
        for (const cut of cuts) chunks.push(bytes.subarray(start, (start += cut)))
        chunks.push(bytes.subarray(start))
        const expected = bytes
          .toString()
          .replace(/^\uFEFF/, '')
          .split('\n')
          .map((text, index) => ({ number: index + 1, text }))
          .filter(({ text }) => !/^[ \t\r]*$/.test(text))
        expect(await linesOf(...chunks)).toEqual(expected)
      }),
    )
  })
})
