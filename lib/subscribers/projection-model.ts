import { DefinitionError } from '../errors.ts'
import { textFault } from '../event-store/argument-checks.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { isWhole } from '../messages/whole-number.ts'
import type { FailureContext } from './handler-model.ts'
import { RESERVED_IN_NAMES } from './partition-names.ts'
import type { ProjectionContext, TableDefinition } from './projection-context.ts'
import { tablesFingerprint } from './projection-statements.ts'
import {
  checkedConsistency,
  checkedFunction,
  checkedName,
  checkedOptions,
  checkedTable,
  checkedTypes,
  checkedWhole,
} from './subscriber-checks.ts'

/** A function that projects events of one type, as the writer calls it. */
export type ProjectEvent = (data: unknown, recorded: RecordedEvent, tx: unknown, context: ProjectionContext) => unknown

/** What runs: a projection's definition, checked and prepared. */
export interface ProjectionModel {
  readonly name: string
  readonly version: number
  /** Which kind of store it is made for; undefined where any that has projections will do. */
  readonly storeKind: string | undefined
  readonly types: ReadonlySet<string>
  readonly projectByType: ReadonlyMap<string, ProjectEvent>
  readonly tables: ReadonlyMap<string, TableDefinition>
  /** Another one where the tables are made by other statements. */
  readonly fingerprint: string
  /** The projection whose place it takes. */
  readonly replaces: string | undefined
  /** Undefined where the application's default governs. */
  readonly consistency: 'eventual' | 'strong' | undefined
  /** It begins after this position. */
  readonly startAfter: number
  readonly batchSize: number
  readonly onError: ((error: unknown, recorded: RecordedEvent, context: FailureContext) => unknown) | undefined
}

const OPTIONS = [
  'version',
  'events',
  'tables',
  'project',
  'replaces',
  'consistency',
  'startFrom',
  'batchSize',
  'onError',
]
/** Leaves room, in the name of a checkpoint, for version and generation. */
const MAX_NAME_LENGTH = 200
/** Leaves room, in the 63 characters that PostgreSQL keeps of a name, for what else a physical name says. */
const TABLE_NAME = /^[a-z_][a-z0-9_]{0,39}$/
const DEFAULT_BATCH_SIZE = 500

export function checkedProjectionModel(
  given: unknown,
  definition: unknown,
  storeKind: string | undefined,
): ProjectionModel {
  const name = checkedName('projection', given, MAX_NAME_LENGTH)
  const where = `projection('${name}')`
  if (RESERVED_IN_NAMES.test(name)) {
    throw new DefinitionError(
      `${where}: the name must not contain # or @, which tell partitions and nodes of handlers apart`,
    )
  }
  const options = checkedOptions(where, definition, OPTIONS, '{ events, tables, project, … }')
  const types = checkedTypes(where, options['events'])
  const tables = checkedTables(where, options['tables'])
  return Object.freeze({
    name,
    version: checkedWhole(where, 'version', options['version']) ?? 1,
    storeKind,
    types,
    projectByType: checkedTable<ProjectEvent>(where, 'project', options['project'], types),
    tables,
    fingerprint: tablesFingerprint(where, tables),
    replaces: checkedReplaced(where, name, options['replaces']),
    consistency: checkedConsistency(where, options['consistency']),
    startAfter: checkedStartAfter(where, options['startFrom']),
    batchSize: checkedWhole(where, 'batchSize', options['batchSize']) ?? DEFAULT_BATCH_SIZE,
    onError: checkedFunction(where, 'onError', options['onError']),
  })
}

/** No `'current'`: a rebuild would not find the same beginning again. */
function checkedStartAfter(where: string, startFrom: unknown): number {
  if (startFrom === undefined || startFrom === 'origin') return 0
  if (isWhole(startFrom, 1)) return startFrom - 1
  throw new DefinitionError(`${where}: startFrom must be 'origin' or a position, a whole number from 1`)
}

function checkedReplaced(where: string, name: string, replaced: unknown): string | undefined {
  if (replaced === undefined) return undefined
  const fault = textFault(replaced, MAX_NAME_LENGTH)
  if (fault !== undefined) throw new DefinitionError(`${where}: replaces, the name of a projection, ${fault}`)
  if (replaced === name) throw new DefinitionError(`${where}: replaces must be the name of another projection`)
  return replaced as string
}

function checkedTables(where: string, tables: unknown): ReadonlyMap<string, TableDefinition> {
  const entries = typeof tables === 'object' && tables !== null ? Object.entries(tables) : []
  if (entries.length === 0) {
    throw new DefinitionError(`${where}: tables must be an object with the columns of each table, by its name`)
  }
  for (const [table, columns] of entries) {
    if (!TABLE_NAME.test(table)) {
      throw new DefinitionError(
        `${where}: a table cannot be named ${table}: lower-case letters, digits and underscores, at most 40, are needed`,
      )
    }
    if (typeof columns !== 'function' && (typeof columns !== 'string' || columns.trim() === '')) {
      throw new DefinitionError(
        `${where}: tables.${table} must be the columns in SQL, or a function of the table's name that gives the statements`,
      )
    }
  }
  return new Map(entries as [string, TableDefinition][])
}
