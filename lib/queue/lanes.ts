import type { Lane } from '../event-store/command-queue-store.ts'
import type { Priority } from '../routing/enqueue-options.ts'

const LANES: Readonly<Record<Priority, Lane>> = { high: 0, normal: 1, low: 2 }
const PRIORITIES: Readonly<Record<Lane, Priority>> = { 0: 'high', 1: 'normal', 2: 'low' }

/** The lane of back-fills, which give way to live commands. */
export const BACK_FILL: Lane = LANES.low

export function laneOf(priority: Priority): Lane {
  return LANES[priority]
}

export function priorityOf(lane: Lane): Priority {
  return PRIORITIES[lane]
}

export function isPriority(value: unknown): value is Priority {
  return typeof value === 'string' && Object.hasOwn(LANES, value)
}
