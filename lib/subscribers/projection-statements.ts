import { v5 } from 'uuid'
import { DefinitionError, describeThrown } from '../errors.ts'
import type { TableDefinition } from './projection-context.ts'

/** A name space of Edict's own for RFC 9562 name-based ids. */
const NAMESPACE = '0f6a4b0e-6a0c-5c39-8d53-3b7f3a3f1c42'
const HASH_LENGTH = 8

/**
 * What a table of one generation is called in the store. The projection is part of it, so that two never write into one table; the
 * version is, as nodes of two versions may build at the same time.
 */
export function physicalTable(projection: string, view: string, version: number, generation: number): string {
  // A name may be longer than a table's, and may hold any character.
  return `${view}_${v5(projection, NAMESPACE).slice(0, HASH_LENGTH)}_${version}_${generation}`
}

/** What makes a table. */
export function tableStatements(definition: TableDefinition, table: string): readonly string[] {
  return typeof definition === 'string' ? [`CREATE TABLE ${table} (${definition})`] : [definition(table)].flat()
}

/**
 * Says in 36 characters how tables are made, whatever their order and white space. A function is asked with the name that readers
 * use, and has to give the same each time.
 */
export function tablesFingerprint(where: string, tables: ReadonlyMap<string, TableDefinition>): string {
  const made = [...tables].map(([view, definition]) => [view, normalized(where, view, definition)] as const)
  return v5(JSON.stringify(made.sort(([one], [other]) => (one < other ? -1 : 1))), NAMESPACE)
}

function normalized(where: string, view: string, definition: TableDefinition): readonly string[] {
  let statements: readonly unknown[]
  try {
    statements = tableStatements(definition, view)
  } catch (cause) {
    throw new DefinitionError(`${where}: tables.${view} threw: ${describeThrown(cause)}`, { cause })
  }
  return statements.map((statement) => {
    if (typeof statement !== 'string') {
      throw new DefinitionError(`${where}: tables.${view} must give a statement in SQL, or a list of them`)
    }
    return statement.trim().replaceAll(/\s+/g, ' ')
  })
}
