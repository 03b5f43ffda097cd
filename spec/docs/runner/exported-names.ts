import { readFileSync } from 'node:fs'
import ts from 'typescript'

export interface ExportedNames {
  readonly values: readonly string[]
  readonly types: readonly string[]
}

/** What an index file exports by name, sorted. */
export function exportedNames(path: string): ExportedNames {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023)
  const values: string[] = []
  const types: string[] = []
  for (const statement of file.statements) {
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) {
      throw new Error(`${path} holds something else than named exports`)
    }
    if (!ts.isNamedExports(statement.exportClause)) throw new Error(`${path} exports a namespace`)
    for (const { name, isTypeOnly } of statement.exportClause.elements) {
      if (statement.isTypeOnly || isTypeOnly) types.push(name.text)
      else values.push(name.text)
    }
  }
  return { values: values.sort(), types: types.sort() }
}
