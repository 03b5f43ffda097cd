import { InvalidOptionError } from '../errors.ts'
import { checkOptionalWhole, checkOptions, checkText, shown } from './argument-checks.ts'
import type { ReadAllOptions, ReadStreamOptions } from './event-store.ts'
import { MAX_STREAM_ID_LENGTH } from './limits.ts'

const READ_STREAM_OPTIONS = ['fromVersion', 'maxCount', 'direction']
/** How all events can be read; `readAllEvents` knows more beside them. */
export const READ_ALL_OPTIONS = [
  'fromPosition',
  'maxCount',
  'direction',
  'types',
  'category',
  'correlationId',
  'tenant',
]

export function checkReadStream(streamId: string, options: ReadStreamOptions | undefined): void {
  checkText('readStream', 'streamId', streamId, MAX_STREAM_ID_LENGTH)
  checkOptions('readStream', options, READ_STREAM_OPTIONS)
  checkOptionalWhole('readStream', 'fromVersion', options?.fromVersion, 1)
  checkPage('readStream', options)
}

export function checkReadAll(options: ReadAllOptions | undefined): void {
  checkOptions('readAll', options, READ_ALL_OPTIONS)
  checkOptionalWhole('readAll', 'fromPosition', options?.fromPosition, 1)
  checkPage('readAll', options)
  checkTypes(options?.types)
  if (options?.category !== undefined) checkText('readAll', 'category', options.category)
  if (options?.correlationId !== undefined) checkText('readAll', 'correlationId', options.correlationId)
  if (options?.tenant !== undefined) checkText('readAll', 'tenant', options.tenant)
}

export function checkReadCommand(streamId: string, commandId: string): void {
  checkText('readCommand', 'streamId', streamId, MAX_STREAM_ID_LENGTH)
  checkText('readCommand', 'commandId', commandId)
}

function checkPage(where: string, options: ReadStreamOptions | ReadAllOptions | undefined): void {
  checkOptionalWhole(where, 'maxCount', options?.maxCount, 1)
  const direction: unknown = options?.direction
  if (direction === undefined || direction === 'forward' || direction === 'backward') return
  throw new InvalidOptionError(`${where}: direction must be 'forward' or 'backward', not ${shown(direction)}`)
}

function checkTypes(types: unknown): void {
  if (types === undefined || types instanceof Set) return
  throw new InvalidOptionError(`readAll: types must be a Set of event types, not ${shown(types)}`)
}
