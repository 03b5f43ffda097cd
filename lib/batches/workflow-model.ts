import { DefinitionError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { checkedModel, type HandlerModel } from '../subscribers/handler-model.ts'
import { checkedOptions, checkedTable, checkedTypes } from '../subscribers/subscriber-checks.ts'
import type { WorkflowContext } from './workflow-context.ts'

/** A function that handles events of one type. */
export type HandleInWorkflow = (data: unknown, recorded: RecordedEvent, context: WorkflowContext) => unknown

/** What runs: a workflow's definition, checked and prepared. */
export interface WorkflowModel {
  readonly name: string
  readonly types: ReadonlySet<string>
  readonly handleByType: ReadonlyMap<string, HandleInWorkflow>
}

/** Options that make no sense inside a transaction, which sees each event once, at once. */
const OF_BACKGROUND = ['consistency', 'startFrom', 'concurrency', 'partitionBy', 'onError']
const OPTIONS = ['events', 'handle', 'background', ...OF_BACKGROUND]

/** @throws {DefinitionError} `invalid_definition` */
export function checkedWorkflow(name: unknown, definition: unknown): { model: WorkflowModel; isBackground: boolean } {
  if (typeof name !== 'string' || name.trim() === '') {
    throw new DefinitionError('workflow(name, definition): the name must be a non-empty text')
  }
  const where = `workflow('${name}')`
  const options = checkedOptions(where, definition, OPTIONS, '{ events, handle, … }')
  const { background = false } = options
  if (typeof background !== 'boolean') throw new DefinitionError(`${where}: background must be true or false`)
  const foreign = OF_BACKGROUND.find((key) => options[key] !== undefined)
  if (!background && foreign !== undefined) {
    throw new DefinitionError(
      `${where}: ${foreign} is for workflows with background: true; this one runs inside the transaction`,
    )
  }
  const types = checkedTypes(where, options['events'])
  const handleByType = checkedTable<HandleInWorkflow>(where, 'handle', options['handle'], types)
  return { model: Object.freeze({ name, types, handleByType }), isBackground: background }
}

/** A background workflow as an event handler, which `handle` calls. */
export function asHandler(
  model: WorkflowModel,
  definition: object,
  handle: HandlerModel['handleByType'],
): HandlerModel {
  const { background: _, ...options } = definition as Readonly<Record<string, unknown>>
  const table = Object.fromEntries(handle)
  return checkedModel(model.name, { ...options, handle: table }, 'workflow')
}
