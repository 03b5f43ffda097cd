import { InvalidOptionError } from '../errors.ts'
import { isRecord } from './answer-checks.ts'
import { checkEncoded } from './append-checks.ts'
import { checkObject, checkOptionalWhole, checkOptions, checkText, checkWhole, shown } from './argument-checks.ts'
import type {
  ClaimCommandsOptions,
  CommandState,
  GroupHold,
  Lane,
  ListCommandsOptions,
  NewQueuedCommand,
  Settlement,
  StoredFailure,
} from './command-queue-store.ts'
import { COMMAND_STATES } from './command-states.ts'
import { frozenJson, frozenJsonRecord } from './frozen-json.ts'
import { MAX_STREAM_ID_LENGTH } from './limits.ts'

// What is asked of a store about queued commands. What is to be stored goes on to the adapter as a copy of what was checked.

const STATES: ReadonlySet<unknown> = new Set(COMMAND_STATES)
const SETTLED: ReadonlySet<unknown> = new Set(['completed', 'rejected', 'dead', 'expired', 'delayed', 'queued'])
const LIST_OPTIONS = ['states', 'types', 'streamId', 'tenant', 'correlationId', 'after', 'limit']
const DEFAULT_LIMIT = 100

/** Ids are checked here and not by each adapter, so that what one store keeps any other can. */
export function checkedCommand(command: NewQueuedCommand, encoded: boolean): NewQueuedCommand {
  const where = 'enqueue'
  checkObject(where, 'a command', command)
  for (const key of ['commandId', 'type', 'contentType', 'correlationId', 'causationId', 'fingerprint'] as const) {
    checkText(where, key, command[key])
  }
  for (const key of ['tenant', 'idempotencyKey'] as const) {
    if (command[key] !== undefined) checkText(where, key, command[key])
  }
  checkText(where, 'streamId', command.streamId, MAX_STREAM_ID_LENGTH)
  checkLane(where, command.lane)
  checkYesOrNo(where, 'strict', command.strict)
  checkYesOrNo(where, 'byCaller', command.byCaller)
  checkOptionalWhole(where, 'notBefore', command.notBefore, 0)
  checkOptionalWhole(where, 'delay', command.delay, 0)
  checkOptionalWhole(where, 'deadline', command.deadline, 0)
  checkWhole(where, 'depth', command.depth, 0)
  checkWhole(where, 'createdAt', command.createdAt, Number.MIN_SAFE_INTEGER)
  checkOneTime(command)
  if (encoded) checkEncoded(where, command.data)
  return {
    ...command,
    metadata: frozenJsonRecord(command.metadata, 'enqueue: metadata'),
    options: frozenJsonRecord(command.options, 'enqueue: options'),
  }
}

function checkOneTime({ notBefore, delay, byCaller }: NewQueuedCommand): void {
  if (notBefore !== undefined && delay !== undefined) {
    throw new InvalidOptionError('enqueue: a command has notBefore or delay, not both')
  }
  if (byCaller && (notBefore !== undefined || delay !== undefined)) {
    throw new InvalidOptionError('enqueue: a command that its caller runs (byCaller) has neither notBefore nor delay')
  }
}

function checkLane(where: string, lane: Lane): void {
  const given: unknown = lane
  if (given === 0 || given === 1 || given === 2) return
  throw new InvalidOptionError(`${where}: lane must be 0, 1 or 2, not ${shown(given)}`)
}

function checkYesOrNo(where: string, what: string, value: unknown): void {
  if (typeof value === 'boolean') return
  throw new InvalidOptionError(`${where}: ${what} must be true or false, not ${shown(value)}`)
}

export function checkList(where: string, what: string, list: unknown): void {
  if (Array.isArray(list)) return
  throw new InvalidOptionError(`${where}: a list of ${what} is needed, not ${shown(list)}`)
}

export function checkCommandIds(where: string, commandIds: readonly string[]): void {
  checkList(where, 'command ids', commandIds)
  for (const commandId of commandIds) checkText(where, 'commandId', commandId)
}

export function checkClaimCommands(options: ClaimCommandsOptions): void {
  const where = 'claim'
  checkObject(where, 'the options', options)
  checkOptions(where, options, ['owner', 'groups', 'commandsOfEach', 'lease'])
  checkText(where, 'owner', options.owner)
  checkWhole(where, 'groups', options.groups, 1)
  checkWhole(where, 'commandsOfEach', options.commandsOfEach, 1)
  checkWhole(where, 'lease', options.lease, 1)
}

export function checkedSettlement(settlement: Settlement): Settlement {
  const where = 'settle'
  checkObject(where, 'a settlement', settlement)
  checkText(where, 'commandId', settlement.commandId)
  const { state, hold } = settlement
  if (!SETTLED.has(state)) throw new InvalidOptionError(`settle: no command ends as ${shown(state)}`)
  if (hold !== undefined) checkGroupHold(where, hold)
  else if (state === 'delayed' || state === 'queued') {
    throw new InvalidOptionError(`settle: a command that its caller ran does not go back as ${state}`)
  }
  switch (state) {
    case 'queued':
      return settlement
    case 'completed':
      return settlement.result === undefined
        ? settlement
        : { ...settlement, result: frozenJson(settlement.result, 'settle: result') }
    case 'delayed':
      checkWhole(where, 'delay', settlement.delay, 0)
      break
    case 'rejected':
    case 'dead':
      checkYesOrNo(where, 'failed', settlement.failed)
      break
    case 'expired':
  }
  return { ...settlement, failure: checkedFailure(settlement.failure) }
}

function checkedFailure(failure: StoredFailure): StoredFailure {
  checkObject('settle', 'failure', failure)
  for (const key of ['code', 'message', 'name'] as const) {
    const text: unknown = failure[key]
    if (typeof text !== 'string') throw new InvalidOptionError(`settle: ${key} must be a string, not ${shown(text)}`)
  }
  // A copy of a record has its keys, as were checked.
  return frozenJsonRecord(failure, 'settle: failure') as unknown as StoredFailure
}

function checkGroupHold(where: string, hold: GroupHold): void {
  checkObject(where, 'hold', hold)
  checkText(where, 'streamId', hold.streamId, MAX_STREAM_ID_LENGTH)
  checkLane(where, hold.lane)
  checkWhole(where, 'epoch', hold.epoch, 1)
}

/** @returns the options with their defaults, as an adapter gets them */
export function checkedListCommands(options: ListCommandsOptions = {}): ListCommandsOptions {
  const where = 'list'
  checkOptions(where, options, LIST_OPTIONS)
  const { states, types, streamId, tenant, correlationId, after, limit = DEFAULT_LIMIT } = options
  checkStates(where, states)
  if (types !== undefined) {
    checkList(where, 'types', types)
    for (const type of types) checkText(where, 'type', type)
  }
  if (streamId !== undefined) checkText(where, 'streamId', streamId, MAX_STREAM_ID_LENGTH)
  if (tenant !== undefined) checkText(where, 'tenant', tenant)
  if (correlationId !== undefined) checkText(where, 'correlationId', correlationId)
  checkOptionalWhole(where, 'after', after, 0)
  checkWhole(where, 'limit', limit, 1)
  return { ...options, limit }
}

export function checkStates(where: string, states: readonly CommandState[] | undefined): void {
  if (states === undefined) return
  checkList(where, 'states', states)
  for (const state of states) {
    if (!STATES.has(state)) throw new InvalidOptionError(`${where}: there is no state ${shown(state)}`)
  }
}

/** Whether there is one answer for each that was asked about, and each is something to look at. */
export function isAnswerForEach(answer: readonly unknown[], asked: readonly unknown[]): boolean {
  return Array.isArray(answer) && answer.length === asked.length && answer.every(isRecord)
}
