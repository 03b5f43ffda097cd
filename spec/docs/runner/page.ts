// A page's snippets, as one module. Every line of a module stands on the line that it has in the page, so that what the
// compiler, a stack or an assertion says of a line can be looked up in the page.

/** Something that a page promises and does not keep. */
export interface Problem {
  readonly page: string
  readonly line: number
  readonly message: string
}

/**
 * How a snippet is checked: it runs; it is compiled and says why it does not run (`no-run`); or it must not compile, and the
 * compiler says the sentence that the snippet quotes (`wrong`).
 */
export type SnippetKind = 'run' | 'no-run' | 'wrong'

export interface Snippet {
  readonly kind: SnippetKind
  /** The line of its opening fence, from 1. */
  readonly line: number
  readonly lines: readonly string[]
}

export interface Page {
  /** Its path in the repository: `docs/guides/commands.md`. */
  readonly path: string
  readonly lineCount: number
  readonly snippets: readonly Snippet[]
  readonly problems: readonly Problem[]
}

const KINDS: Readonly<Record<string, SnippetKind>> = { '': 'run', 'no-run': 'no-run', wrong: 'wrong' }
const OTHER_SPELLINGS = /^(?:typescript|tsx|js|mjs|javascript)$/i
const REASON = /^\s*\/\/ Not run: \S/
/** `// error: …` in a wrong snippet: a sentence that the compiler must say. */
export const QUOTED_SENTENCE = /\/\/ error: (.+)$/

export function readPage(path: string, markdown: string): Page {
  const lines = markdown.split('\n')
  const snippets: Snippet[] = []
  const problems: Problem[] = []
  let open: { line: number; kind: SnippetKind | undefined; lines: string[] } | undefined
  for (const [index, text] of lines.entries()) {
    const line = index + 1
    const fence = /^(\s*)```\s*(\S*)\s*(.*?)\s*$/.exec(text)
    if (fence === null) {
      open?.lines.push(text)
    } else if (open !== undefined) {
      if (open.kind !== undefined) snippets.push({ kind: open.kind, line: open.line, lines: open.lines })
      open = undefined
    } else {
      const [, indent = '', language = '', mark = ''] = fence
      const kind = language === 'ts' ? KINDS[mark] : undefined
      open = { line, kind, lines: [] }
      if (language === 'ts' && kind === undefined)
        problems.push({ page: path, line, message: `unknown mark "${mark}"` })
      if (kind !== undefined && indent !== '') {
        problems.push({ page: path, line, message: 'a ts snippet must not be indented' })
      }
      if (OTHER_SPELLINGS.test(language)) problems.push({ page: path, line, message: `write ts, not ${language}` })
    }
  }
  if (open !== undefined) problems.push({ page: path, line: open.line, message: 'the fence is never closed' })
  problems.push(...snippets.flatMap((snippet) => marksProblems(path, snippet)))
  return { path, lineCount: lines.length, snippets, problems }
}

function marksProblems(page: string, { kind, line, lines }: Snippet): Problem[] {
  if (kind === 'no-run' && !REASON.test(lines[0] ?? '')) {
    return [{ page, line, message: 'a no-run snippet begins with its reason: // Not run: …' }]
  }
  if (kind === 'wrong' && !lines.some((text) => QUOTED_SENTENCE.test(text))) {
    return [{ page, line, message: 'a wrong snippet quotes what the compiler says: // error: …' }]
  }
  return []
}

/** The page as one module: snippets of these kinds in order, blank lines elsewhere. */
export function moduleOf({ lineCount, snippets }: Page, kinds: readonly SnippetKind[]): string {
  const lines = Array.from({ length: lineCount }, () => '')
  for (const { kind, line, lines: texts } of snippets) {
    if (!kinds.includes(kind)) continue
    for (const [index, text] of texts.entries()) lines[line + index] = withExamples(text)
    if (kind !== 'wrong') continue
    // A scope of its own: what is wrong here must not be wrong elsewhere.
    lines[line - 1] = '{'
    lines[line + texts.length] = '}'
  }
  return `${lines.join('\n')}\nexport {}\n`
}

/** Pages import examples as a file in `playground/` does, where their readers save them. */
function withExamples(text: string): string {
  return text.replace(/from '\.\.\/examples\//, `from '${repositoryUrl}examples/`)
}

/** From where modules are put, `.tmp/docs/<page>.ts`, whatever their depth. */
const repositoryUrl = new URL('../../../', import.meta.url).pathname
