import ts from 'typescript'
import type { Problem } from './page.ts'

// What pages say of their values: `expression // => value`, `const name = … // => value`, `console.log(expression) // => value`
// and `expression // throws code`. A value is written as in code; `…` in an object stands for more keys. Each becomes a call
// of expectations.ts, on the line where it stands.

const CLAIM = /\/\/ (=>|throws) (.+?)\s*$/

export interface Asserting {
  readonly source: string
  readonly claims: number
  readonly problems: readonly Problem[]
}

/** A page's module, with its claims as assertions. */
export function withAssertions(page: string, source: string): Asserting {
  const file = ts.createSourceFile('page.ts', source, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS)
  const statements = statementsOf(file)
  const problems: Problem[] = []
  const edits: { readonly at: number; readonly end: number; readonly text: string }[] = []
  let start = 0
  for (const [index, text] of source.split('\n').entries()) {
    const found = CLAIM.exec(text)
    if (found !== null) {
      const [, verb, value = ''] = found
      const line = index + 1
      const at = start + found.index
      const statement = statementBefore(statements, source, at)
      const claim = statement && claimOf(statement, verb === 'throws', value, `${page}:${line}`)
      if (claim === undefined) problems.push({ page, line, message: `nothing stands before "${found[0]}"` })
      else edits.push(claim)
    }
    start += text.length + 1
  }
  let asserting = source
  for (const { at, end, text } of edits.toReversed()) asserting = asserting.slice(0, at) + text + asserting.slice(end)
  const face = new URL('./expectations.ts', import.meta.url).pathname
  return { source: `${asserting}import * as __page from '${face}'\n`, claims: edits.length, problems }
}

function statementsOf(file: ts.SourceFile): ts.Statement[] {
  const statements: ts.Statement[] = []
  const walk = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node) || ts.isVariableStatement(node)) statements.push(node)
    ts.forEachChild(node, walk)
  }
  walk(file)
  return statements
}

/** The innermost statement that ends right before a comment. */
function statementBefore(
  statements: readonly ts.Statement[],
  source: string,
  comment: number,
): ts.Statement | undefined {
  return statements
    .filter((statement) => statement.getEnd() <= comment && source.slice(statement.getEnd(), comment).trim() === '')
    .toSorted((one, other) => other.getStart() - one.getStart())[0]
}

function claimOf(statement: ts.Statement, throws: boolean, value: string, where: string) {
  const at = statement.getStart()
  const end = statement.getEnd()
  if (ts.isVariableStatement(statement)) {
    const name = statement.declarationList.declarations[0]?.name
    if (throws || name === undefined || !ts.isIdentifier(name)) return undefined
    return { at: end, end, text: `;__page.holds(${name.text}, () => (${expected(value)}), ${quoted(where)});` }
  }
  if (!ts.isExpressionStatement(statement)) return undefined
  const { expression } = statement
  const text = (loggedBy(expression) ?? expression).getText()
  return {
    at,
    end,
    text: throws
      ? `;await __page.throws(async () => ${text}, ${quoted(value)}, ${quoted(where)});`
      : `;__page.holds(${text}, () => (${expected(value)}), ${quoted(where)});`,
  }
}

/** What `console.log(value)` logs. */
function loggedBy(expression: ts.Expression): ts.Expression | undefined {
  const isLog = ts.isCallExpression(expression) && expression.expression.getText() === 'console.log'
  return isLog && expression.arguments.length === 1 ? expression.arguments[0] : undefined
}

function expected(value: string): string {
  return value.replaceAll('…', '[__page.more]: true')
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
