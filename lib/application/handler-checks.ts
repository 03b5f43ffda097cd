import { DefinitionError } from '../errors.ts'
import { projectionsOf } from '../event-store/checked-projection-store.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { handlerBodyOf, type EventHandlerBody } from '../subscribers/handler-body.ts'
import { processManagerBodyOf, type ProcessManagerBody } from '../subscribers/process-manager-body.ts'
import { projectionBodyOf, type ProjectionBody } from '../subscribers/projection-body.ts'

/** The handlers of a definition, sorted out. */
export interface CheckedHandlers {
  readonly handlers: readonly EventHandlerBody[]
  readonly projections: readonly ProjectionBody[]
  readonly processManagers: readonly ProcessManagerBody[]
}

/**
 * @param name of the application
 * @param given the handlers of its definition
 * @param store its store
 * @throws {DefinitionError} `invalid_definition`, naming what is wrong
 */
export function checkedHandlers(name: string, given: unknown, store: EventStore): CheckedHandlers {
  if (!Array.isArray(given)) throw new DefinitionError(`the application ${name}: handlers must be a list`)
  const names = new Set<string>()
  const handlers: EventHandlerBody[] = []
  const projections: ProjectionBody[] = []
  const processManagers: ProcessManagerBody[] = []
  for (const one of given) {
    const handler = handlerBodyOf(one)
    const projection = projectionBodyOf(one)
    const processManager = processManagerBodyOf(one)
    const model = handler ?? projection ?? processManager
    if (model === undefined) {
      throw new DefinitionError(
        `the application ${name}: handlers holds something that is no eventHandler(…), no processManager(…) and no projection(…)`,
      )
    }
    if (names.has(model.name)) throw new DefinitionError(`the application ${name} has two handlers named ${model.name}`)
    names.add(model.name)
    if (handler !== undefined) handlers.push(handler)
    if (processManager !== undefined) processManagers.push(processManager)
    if (projection !== undefined) projections.push(checkedProjection(name, projection, store))
  }
  checkTables(name, projections)
  return { handlers, projections, processManagers }
}

/** Two that wrote into tables of one name would take them from each other for ever. */
function checkTables(name: string, projections: readonly ProjectionBody[]): void {
  const owners = new Map<string, string>()
  for (const projection of projections) {
    for (const table of projection.tables) {
      const owner = owners.get(table)
      if (owner !== undefined) {
        throw new DefinitionError(
          `the application ${name}: the projections ${owner} and ${projection.name} both name the table ${table}: ` +
            'each table belongs to one projection',
        )
      }
      owners.set(table, projection.name)
    }
    const { replaces } = projection
    if (projections.some((other) => other.name === replaces)) {
      throw new DefinitionError(
        `the application ${name}: the projection ${projection.name} replaces ${String(replaces)}, which is there too: leave one out`,
      )
    }
  }
}

function checkedProjection(name: string, model: ProjectionBody, store: EventStore): ProjectionBody {
  const { kind } = projectionsOf(store)
  if (model.storeKind === undefined || model.storeKind === kind) return model
  throw new DefinitionError(
    `the application ${name}: the projection ${model.name} was made by edict/${model.storeKind}, and the event store is ` +
      `of the kind ${kind}: import projection from edict/${kind}`,
  )
}
