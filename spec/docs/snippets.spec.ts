import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { checkPages, type CheckedPages, type CompiledModule } from './runner/check-pages.ts'
import { exampleModule, examplesIn, isComplete, type Example } from './runner/docstrings.ts'
import { exportedNames } from './runner/exported-names.ts'
import { readPage, type Problem } from './runner/page.ts'
import { planted, plantedDocstringProblems, plantedDocstrings, soundPage } from './runner/planted.ts'
import * as preludeNames from './runner/prelude.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const prelude = {
  path: fileURLToPath(new URL('./runner/prelude.ts', import.meta.url)),
  names: [...Object.keys(preludeNames), ...declaredNames(), ...typeNames()],
}

/** What the prelude declares without a value. */
function declaredNames(): string[] {
  const source = readFileSync(new URL('./runner/prelude.ts', import.meta.url), 'utf8')
  return [...source.matchAll(/^export declare (?:const|function) (\w+)/gm)].map(([, name = '']) => name)
}

function typeNames(): string[] {
  return exportedNames(join(repository, 'lib/index.ts')).types.map((name) => `type ${name}`)
}

function filesOf(folder: string, extension: string): string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(extension))
    .map((path) => join(folder, path))
    .sort()
}

const read = (path: string) => readFileSync(join(repository, path), 'utf8')
const pages = ['README.md', ...filesOf('docs', '.md')].map((path) => readPage(path, read(path)))
const soundPath = 'planted/sound.md'
const plantedPath = (index: number) => `planted/${index}.md`
const plantedPages = planted.map(({ markdown }, index) => readPage(plantedPath(index), markdown))

const examples = filesOf('lib', '.ts').flatMap((path) => examplesIn(path, read(path)))
const complete = examples.filter(isComplete)
const sources = [...new Set(complete.map(({ path }) => path))]
const plantedExamples = examplesIn('planted/docstrings.ts', plantedDocstrings)

const moduleOf = (example: Example): CompiledModule => ({
  path: example.path,
  line: example.line,
  source: exampleModule(example, prelude),
})

let checked: CheckedPages
const problemsOf = (path: string): readonly Problem[] => checked.problems.filter(({ page }) => page === path)
const described = (problems: readonly Problem[]) =>
  problems.map(({ page, line, message }) => `${page}:${line}: ${message}`)

beforeAll(async () => {
  checked = await checkPages(
    [...pages, readPage(soundPath, soundPage), ...plantedPages],
    [...complete, ...plantedExamples].map(moduleOf),
  )
}, 600_000)

describe('the snippets of the pages', () => {
  it.each(pages.map(({ path }) => path))('of %s compile, run, and are what they say', (path) => {
    expect(described(problemsOf(path))).toEqual([])
  })

  // A newcomer saves these pages as they are, and a line that throws would end the run.
  it.each(['README.md', 'docs/guides/getting-started.md'])('of %s have no line that throws', (path) => {
    expect(read(path)).not.toMatch(/\/\/ throws /)
  })
})

describe('the examples in docstrings', () => {
  it.each(sources)('of %s compile', (path) => {
    expect(described(problemsOf(path))).toEqual([])
  })

  it('are complete for the most part', () => {
    expect(complete.length).toBeGreaterThan(examples.length / 2)
  })
})

describe('the runner', () => {
  it.each(planted.map(({ rule }, index) => [rule, index] as const))('holds that %s', (_rule, index) => {
    const { says, line } = planted[index]!
    const problems = problemsOf(plantedPath(index))
    expect(problems.map(({ message }) => message)).toContainEqual(expect.stringContaining(says))
    expect(problems.filter(({ message }) => message.includes(says)).map((problem) => problem.line)).toEqual([line])
  })

  it('holds that complete examples compile', () => {
    const problems = problemsOf('planted/docstrings.ts')
    expect(problems.map(({ line }) => line)).toEqual(plantedDocstringProblems.map(({ line }) => line))
    for (const [index, { says }] of plantedDocstringProblems.entries()) expect(problems[index]?.message).toContain(says)
  })

  it('passes a page that keeps what it promises, and looks at all its claims', () => {
    expect(described(problemsOf(soundPath))).toEqual([])
    expect(checked.claims.get(soundPath)).toBe(5)
  })
})
