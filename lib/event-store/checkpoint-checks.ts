import { InvalidOptionError } from '../errors.ts'
import { isRecord } from './answer-checks.ts'
import {
  checkObject,
  checkOptionalWhole,
  checkOptions,
  checkText,
  checkWhole,
  shown,
  textFault,
} from './argument-checks.ts'
import {
  DEFAULT_LEASE_MS,
  type Checkpoint,
  type CheckpointHold,
  type CheckpointState,
  type ClaimOptions,
} from './checkpoint.ts'
import type { SnapshotWriteOptions } from './snapshot.ts'

// What is asked of a store about checkpoints, and what it answers.

const CLAIM_OPTIONS = ['owner', 'startAfter', 'lease', 'force']

/** @returns the options with their defaults, as an adapter gets them */
export function checkedClaim(name: string, options: ClaimOptions): Required<ClaimOptions> {
  checkText('claimCheckpoint', 'name', name)
  checkObject('claimCheckpoint', 'the options', options)
  checkOptions('claimCheckpoint', options, CLAIM_OPTIONS)
  const { owner, startAfter, lease = DEFAULT_LEASE_MS, force = false } = options
  checkText('claimCheckpoint', 'owner', owner)
  checkWhole('claimCheckpoint', 'startAfter', startAfter, 0)
  checkOptionalWhole('claimCheckpoint', 'lease', lease, 1)
  const forced: unknown = force
  if (typeof forced !== 'boolean') {
    throw new InvalidOptionError(`claimCheckpoint: force must be true or false, not ${shown(forced)}`)
  }
  return { owner, startAfter, lease, force }
}

export function checkHolds(holds: readonly CheckpointHold[]): void {
  const given: unknown = holds
  if (!Array.isArray(given)) {
    throw new InvalidOptionError(`renewCheckpoints: a list of names with their epochs is needed, not ${shown(given)}`)
  }
  for (const hold of holds) {
    checkObject('renewCheckpoints', 'a claim', hold)
    checkHold('renewCheckpoints', hold.name, hold.epoch)
  }
}

export function checkHold(where: string, name: string, epoch: number): void {
  checkText(where, 'name', name)
  checkWhole(where, 'epoch', epoch, 1)
}

/** The claim under which a snapshot is written or deleted, if one is named. */
export function checkSnapshotWrite(where: string, options: SnapshotWriteOptions): void {
  checkObject(where, 'the options', options)
  checkOptions(where, options, ['hold'])
  const { hold } = options
  if (hold === undefined) return
  checkObject(where, 'hold', hold)
  checkHold(where, hold.name, hold.epoch)
}

export function checkPlace(where: string, checkpoint: Checkpoint): void {
  checkObject(where, 'the checkpoint', checkpoint)
  checkText(where, 'name', checkpoint.name)
  checkWhole(where, 'position', checkpoint.position, 0)
  checkWhole(where, 'index', checkpoint.index, 0)
  checkWhole(where, 'epoch', checkpoint.epoch, 1)
}

export function checkPrefix(prefix: unknown): void {
  const fault = prefix === '' ? undefined : textFault(prefix)
  if (fault !== undefined) throw new InvalidOptionError(`listCheckpoints: prefix ${fault}`)
}

/** Whether a checkpoint is one, of just this name. */
export function isCheckpoint(answer: Checkpoint | undefined, name: string): boolean {
  return (
    isRecord(answer) &&
    answer.name === name &&
    Number.isSafeInteger(answer.position) &&
    Number.isSafeInteger(answer.index) &&
    Number.isSafeInteger(answer.epoch)
  )
}

/** Whether there is a list of checkpoints whose names begin so. */
export function isCheckpointList(answer: readonly CheckpointState[], prefix: string): boolean {
  const isState = (state: CheckpointState | undefined) =>
    isRecord(state) &&
    isCheckpoint(state, state.name) &&
    state.name.startsWith(prefix) &&
    (state.owner === undefined || typeof state.owner === 'string')
  return Array.isArray(answer) && answer.every(isState)
}

/** Whether there is a yes or a no for each. */
export function isYesOrNoForEach(answer: readonly boolean[], asked: readonly unknown[]): boolean {
  return Array.isArray(answer) && answer.length === asked.length && answer.every((one) => typeof one === 'boolean')
}
