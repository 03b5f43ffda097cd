import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import type { Command } from 'commander'
import { Cli } from '../../lib/cli/cli.ts'
import { EXIT } from '../../lib/cli/exit-code.ts'
import { makeProgram } from '../../lib/cli/run-cli.ts'

const page = readFileSync(fileURLToPath(new URL('../../docs/reference/command-line.md', import.meta.url)), 'utf8')

const program = makeProgram(
  new Cli({ env: {}, folder: '.', write: async () => undefined, warn: () => undefined, ask: undefined }),
)

/** Those that do something, by what is typed. */
function leaves(command: Command, words: readonly string[] = ['edict']): readonly (readonly [string, Command])[] {
  if (command.commands.length > 0) {
    return command.commands.flatMap((one) => leaves(one, [...words, one.name()]))
  }
  const given = command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`))
  return [[[...words, ...given].join(' '), command]]
}

const commands = leaves(program)

describe('the page of the command line', () => {
  it('has every command, and none that is not there', () => {
    const rows = [...page.matchAll(/^\| `(edict [^`]+)` \|/gm)].map(([, typed]) => typed)
    const headings = [...page.matchAll(/^### `(edict [^`]+)`$/gm)].map(([, typed]) => typed)
    const there = commands.map(([typed]) => typed)
    expect([...rows, ...headings]).toEqual(expect.arrayContaining(there))
    expect(there).toEqual(expect.arrayContaining(rows))
  })

  it('names every option', () => {
    const options = commands.flatMap(([, command]) => command.options.map(({ long }) => long ?? ''))
    const unnamed = [...new Set(options)].filter((option) => !page.includes(option))
    expect(unnamed).toEqual([])
  })

  it('has every exit code', () => {
    const codes = [...page.matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code))
    expect(codes).toEqual(Object.values(EXIT))
  })
})

describe('every command', () => {
  it('takes --app and --json, and asks where it destroys something', () => {
    const lacking = commands.filter(
      ([, { options }]) => !['--app', '--json'].every((one) => options.some(({ long }) => long === one)),
    )
    expect(lacking).toEqual([])
    const asking = commands
      .filter(([, { options }]) => options.some(({ long }) => long === '--yes'))
      .map(([typed]) => typed)
    expect(asking).toEqual([
      'edict streams delete <stream>',
      'edict handlers reset <handler>',
      'edict parked discard <handler>',
      'edict commands cancel <command-id>',
      'edict dead-letters discard [command-id]',
    ])
  })
})
