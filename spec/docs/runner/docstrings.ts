import ts from 'typescript'

/** An `@example` of a docstring. */
export interface Example {
  readonly path: string
  /** The line of its first line of code, from 1. */
  readonly line: number
  readonly code: string
}

/** All examples in the docstrings of a source file. */
export function examplesIn(path: string, source: string): Example[] {
  const lines = source.split('\n')
  const examples: Example[] = []
  for (let index = 0; index < lines.length; index++) {
    if (!/^\s*\* @example\s*$/.test(lines[index] ?? '')) continue
    const code: string[] = []
    const first = index + 1
    for (index = first; index < lines.length; index++) {
      const found = /^\s*\*(?!\/) ?(.*)$/.exec(lines[index] ?? '')
      if (found === null || /^@\w/.test(found[1] ?? '')) break
      code.push(found[1] ?? '')
    }
    index--
    examples.push({ path, line: first + 1, code: code.join('\n').trimEnd() })
  }
  return examples
}

/**
 * Whether an example can stand alone, and is compiled. A fragment is not: it leaves something out (`…`), it is one member of a
 * definition (`onError: …`), or a function without a name, which gets its types from where it is put.
 */
export function isComplete({ code }: Example): boolean {
  return !code.includes('…') && !/^(?:\w+: |async \(|\()/.test(code)
}

/**
 * An example as a module of its own. It may use what `edict` exports and what the prelude has, as a reader who knows the bank would
 * read it; what it imports or declares itself comes first.
 */
export function exampleModule(
  { code }: Example,
  prelude: { readonly path: string; readonly names: readonly string[] },
): string {
  const file = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS)
  const imports = file.statements.filter((statement) => ts.isImportDeclaration(statement))
  const imported = new Set(imports.flatMap(namesOf))
  let body = code
  for (const { pos, end } of imports.toReversed()) {
    body = body.slice(0, pos) + body.slice(pos, end).replaceAll(/[^\n]/g, '') + body.slice(end)
  }
  body = body.replaceAll(/^export /gm, '')
  const names = prelude.names.filter((name) => !imported.has(name.replace(/^type /, '')))
  const head = [
    `import { ${names.join(', ')} } from '${prelude.path}'`,
    ...imports.map((statement) => statement.getText().replaceAll('\n', ' ')),
  ]
  // On one line, so that the example's lines keep their distance from it.
  return `${head.join('; ')}; async function example(): Promise<any> {\n${body}\n}\nexport { example }\n`
}

function namesOf(statement: ts.ImportDeclaration): string[] {
  const bindings = statement.importClause?.namedBindings
  const named =
    bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : []
  const { name } = statement.importClause ?? {}
  return name === undefined ? named : [...named, name.text]
}
