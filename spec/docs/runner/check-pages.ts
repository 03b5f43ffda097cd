import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freshDatabase } from '../../support/postgres-server.ts'
import { withAssertions, type Asserting } from './assertions.ts'
import { moduleOf, QUOTED_SENTENCE, type Page, type Problem, type Snippet } from './page.ts'
import type { ModuleResult } from './run-modules.ts'
import { typeCheck, type Diagnostic } from './type-check.ts'

/** Where pages find the URL of a PostgreSQL database that is theirs alone. */
const DATABASE_VARIABLE = 'DATABASE_URL'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

export interface CheckedPages {
  /** Of pages, by their path; and of examples, by theirs. */
  readonly problems: readonly Problem[]
  /** How many claims of each page were looked at. */
  readonly claims: ReadonlyMap<string, number>
}

/** A module that is compiled and does not run, and what its lines are called. */
export interface CompiledModule {
  readonly path: string
  readonly source: string
  /** The line in `path` that the module's second line is. */
  readonly line: number
}

/** Compiles and runs pages, and compiles other modules: one program and one process for all of them. */
export async function checkPages(
  pages: readonly Page[],
  others: readonly CompiledModule[] = [],
): Promise<CheckedPages> {
  mkdirSync(join(repository, '.tmp'), { recursive: true })
  const folder = mkdtempSync(join(repository, '.tmp', 'docs-'))
  try {
    const asserting = pages.map((page) => withAssertions(page.path, moduleOf(page, ['run'])))
    const running = run(folder, pages, asserting)
    const problems = [
      ...pages.flatMap((page) => page.problems),
      ...asserting.flatMap((each) => each.problems),
      ...compile(folder, pages, others),
    ]
    const results = await running
    const claims = new Map(pages.map(({ path }, index) => [path, results[index]?.claims ?? 0]))
    for (const [index, page] of pages.entries()) problems.push(...ranProblems(page, asserting[index], results[index]))
    return { problems, claims }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(
  folder: string,
  pages: readonly Page[],
  asserting: readonly Asserting[],
): Promise<readonly ModuleResult[]> {
  const paths = pages.map(({ path }) => join(folder, `${path}.ts`))
  for (const [index, path] of paths.entries()) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, asserting[index]?.source ?? '')
  }
  const result = join(folder, 'result.json')
  const main = fileURLToPath(new URL('./run-modules.ts', import.meta.url))
  // A page that runs on PostgreSQL asks for a database as a deployed program does.
  const database = asserting.some(({ source }) => source.includes(DATABASE_VARIABLE))
    ? await freshDatabase()
    : undefined
  try {
    const env = { ...process.env, ...(database && { [DATABASE_VARIABLE]: database.connectionString }) }
    await promisify(execFile)(process.execPath, ['--import', 'tsx', main, result, ...paths], { cwd: repository, env })
  } finally {
    await database?.drop()
  }
  return JSON.parse(readFileSync(result, 'utf8')) as ModuleResult[]
}

function ranProblems(page: Page, asserting: Asserting | undefined, result: ModuleResult | undefined): Problem[] {
  const problems = (result?.broken ?? []).map(({ where, message }) => ({
    page: page.path,
    line: Number(where.split(':').at(-1)),
    message,
  }))
  if (result?.thrown !== undefined) {
    const line = new RegExp(`${basename(page.path)}\\.ts:(\\d+)`).exec(result.thrown)?.[1]
    problems.push({ page: page.path, line: Number(line ?? 0), message: `it throws: ${result.thrown}` })
  } else if (result?.claims !== asserting?.claims) {
    const message = `it makes ${asserting?.claims ?? 0} claims, of which ${result?.claims ?? 0} were reached once`
    problems.push({ page: page.path, line: 0, message })
  }
  return problems
}

function compile(folder: string, pages: readonly Page[], others: readonly CompiledModule[]): Problem[] {
  const modules = new Map<string, string>()
  const pageOf = new Map<string, Page>()
  const otherOf = new Map<string, CompiledModule>()
  for (const page of pages) {
    const path = join(folder, `${page.path}.ts`)
    modules.set(path, moduleOf(page, ['run', 'no-run', 'wrong']))
    pageOf.set(path, page)
  }
  for (const [index, other] of others.entries()) {
    const path = join(folder, `other-${index}.ts`)
    modules.set(path, other.source)
    otherOf.set(path, other)
  }
  const diagnostics = typeCheck(modules)
  const problems: Problem[] = []
  for (const [path, page] of pageOf) {
    problems.push(
      ...pageProblems(
        page,
        diagnostics.filter((diagnostic) => diagnostic.path === path),
      ),
    )
  }
  for (const { path, line, message } of diagnostics) {
    const other = otherOf.get(path)
    if (other !== undefined)
      problems.push({ page: other.path, line: other.line + line - 2, message: `does not compile: ${message}` })
  }
  return problems
}

function pageProblems(page: Page, diagnostics: readonly Diagnostic[]): Problem[] {
  const wrong = page.snippets.filter(({ kind }) => kind === 'wrong')
  const isIn = (snippet: Snippet, line: number) =>
    line >= snippet.line && line <= snippet.line + snippet.lines.length + 1
  const problems = diagnostics
    .filter(({ line }) => !wrong.some((snippet) => isIn(snippet, line)))
    .map(({ line, message }) => ({ page: page.path, line, message: `does not compile: ${message}` }))
  for (const snippet of wrong) {
    // The sentences are types, whose quotes the compiler prints escaped.
    const said = diagnostics
      .filter(({ line }) => isIn(snippet, line))
      .map(({ message }) => message.replaceAll('\\"', '"'))
    for (const [index, text] of snippet.lines.entries()) {
      const sentence = QUOTED_SENTENCE.exec(text)?.[1]?.trim()
      if (sentence === undefined || said.some((message) => message.includes(sentence))) continue
      const instead = said.length === 0 ? 'it compiles' : `the compiler says: ${said.join('; ')}`
      problems.push({
        page: page.path,
        line: snippet.line + index + 1,
        message: `"${sentence}" is not said; ${instead}`,
      })
    }
  }
  return problems
}
