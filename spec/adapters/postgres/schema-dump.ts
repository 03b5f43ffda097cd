import type { TestDatabase } from './test-database.ts'

/** All that the schema of a store is made of, as PostgreSQL describes it, with "edict" for its name. */
export async function schemaDump({ sql, schema }: TestDatabase): Promise<string> {
  const lines: string[] = []
  for (const query of QUERIES) {
    for (const { line } of await sql(query, [schema])) lines.push(String(line))
  }
  return lines.join('\n').replaceAll(new RegExp(`"?\\b${schema}\\b"?`, 'g'), 'edict')
}

const QUERIES = [
  `SELECT format('%s %s.%s %s%s%s', c.relkind, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
      CASE WHEN a.attcollation <> 0 THEN ' COLLATE ' || (SELECT collname FROM pg_collation WHERE oid = a.attcollation) ELSE '' END
      ) || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') || coalesce(' ' || array_to_string(c.reloptions, ','), '') AS line
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND a.attnum > 0 ORDER BY c.relname, a.attnum`,
  `SELECT format('sequence %s', relname) AS line FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'S' ORDER BY relname`,
  `SELECT format('constraint %s %s', conname, pg_get_constraintdef(oid)) AS line FROM pg_constraint
    WHERE connamespace = $1::regnamespace AND contype <> 'n' ORDER BY conname`,
  `SELECT pg_get_indexdef(indexrelid) AS line FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE c.relnamespace = $1::regnamespace ORDER BY c.relname`,
  `SELECT pg_get_functiondef(oid) AS line FROM pg_proc WHERE pronamespace = $1::regnamespace ORDER BY proname`,
  `SELECT format('migration %s %s', number, name) AS line FROM edict.migrations WHERE $1 <> '' ORDER BY number`,
]
