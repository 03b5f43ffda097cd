import type { CheckpointState } from '../event-store/checkpoint.ts'

/** Handlers' names have none of these characters, so that no handler's checkpoint is taken for a partition of another. */
export const RESERVED_IN_NAMES = /[#@]/

/** How the checkpoints of a projection end: with its version and its generation. */
export const PROJECTION_CHECKPOINT = /:\d+\.\d+$/

/** The checkpoint of one of so many partitions; a handler with one partition has its own name. Stored: fixed for ever. */
export function partitionCheckpoint(name: string, index: number, count: number): string {
  return count === 1 ? name : `${name}#${index}/${count}`
}

/** The claim with which a node says that it is there and works with so many partitions. */
export function memberCheckpoint(name: string, owner: string, count: number): string {
  return `${name}@${count}/${owner}`
}

/** What the checkpoints of one handler tell of its partitions and its nodes. */
export interface HandlerCheckpoints {
  /** By the number of partitions: the checkpoints of such a layout, by name. */
  readonly layouts: ReadonlyMap<number, ReadonlyMap<string, CheckpointState>>
  readonly members: readonly (CheckpointState & { readonly count: number })[]
}

/** Sorts out what belongs to a handler among checkpoints that may be anyone's. */
export function handlerCheckpoints(name: string, states: readonly CheckpointState[]): HandlerCheckpoints {
  const layouts = new Map<number, Map<string, CheckpointState>>()
  const members: (CheckpointState & { readonly count: number })[] = []
  for (const state of states) {
    if (!state.name.startsWith(name)) continue
    const rest = state.name.slice(name.length)
    const member = /^@(\d+)\//.exec(rest)
    if (member) {
      members.push({ ...state, count: Number(member[1]) })
      continue
    }
    const count = rest === '' ? 1 : Number(/^#\d+\/(\d+)$/.exec(rest)?.[1] ?? 0)
    if (count === 0) continue
    const layout = layouts.get(count) ?? new Map<string, CheckpointState>()
    layouts.set(count, layout.set(state.name, state))
  }
  return { layouts, members }
}
