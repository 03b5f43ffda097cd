import { onServer } from '../../support/postgres-server.ts'

/** Schemas of one database that are emptied and used again, as to make one takes longer than most cases do. */
export class SpareSchemas {
  readonly #connectionString: () => string
  readonly #spare: string[] = []
  #made = 0

  constructor(connectionString: () => string) {
    this.#connectionString = connectionString
  }

  take(): string {
    return this.#spare.pop() ?? `case_${++this.#made}`
  }

  async giveBack(schema: string): Promise<void> {
    await onServer(this.#connectionString(), emptied(schema))
    this.#spare.push(schema)
  }
}

/** The tables of a store lose their rows, its sequences begin anew, and what a case has made for its projections is dropped. */
function emptied(schema: string): string {
  return `DO $$
    DECLARE found record;
    BEGIN
      FOR found IN
        SELECT format('%I.%I', n.nspname, c.relname) AS name, n.nspname AS schema, c.relkind AS kind
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE (n.nspname = 'public' OR n.nspname = '${schema}') AND c.relkind IN ('r', 'v', 'S') AND c.relname <> 'migrations'
        ORDER BY c.relkind DESC
      LOOP
        IF found.kind = 'v' THEN EXECUTE 'DROP VIEW ' || found.name;
        ELSIF found.kind = 'S' THEN EXECUTE 'ALTER SEQUENCE ' || found.name || ' RESTART';
        ELSIF found.schema = 'public' THEN EXECUTE 'DROP TABLE ' || found.name;
        ELSE EXECUTE 'DELETE FROM ' || found.name;
        END IF;
      END LOOP;
    END $$`
}
