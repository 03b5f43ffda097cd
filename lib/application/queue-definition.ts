import type { Backoff } from '../effects/backoff.ts'
import { DefinitionError } from '../errors.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { DEFAULT_QUEUE_POLICY, type QueuePolicy } from '../queue/queue-policy.ts'
import { recurringBodyOf, type RecurringBody } from '../queue/recurring-body.ts'
import { atLeast, atLeastOne, checkedKeys, SHORTEST_LEASE_MS } from './definition-checks.ts'

/** Whether `process` runs a command now or later, where the call does not say it. */
export type CommandProcessing = 'sync' | 'async'

/** How an application runs the commands that are queued. The same on all nodes. */
export interface QueueDefinition {
  /** After so many failures a command is a dead letter. @default 5 */
  readonly maxAttempts?: number
  /** Milliseconds: the wait after n failures is n² times `base`, with up to one base of jitter, and at most `longest`. @default 200 and 60_000 */
  readonly backoff?: Partial<Backoff>
  /**
   * `'strict'`: later commands of an aggregate wait for one that failed, until it is done or given up. `'relaxed'`: they go on without it.
   * @default 'relaxed'
   */
  readonly order?: 'relaxed' | 'strict'
  /** Milliseconds until others take over from a process that was killed. @default 5_000 */
  readonly lease?: number
  /** Milliseconds between looks at the store, behind its wake-ups. @default 1_000 */
  readonly pollInterval?: number
  /** Milliseconds that commands are kept that are over, or `Infinity`. Dead letters are kept until somebody gives them up. @default seven days */
  readonly retention?: number
}

export interface CheckedQueue {
  readonly recurring: readonly RecurringBody[]
  readonly commandProcessing: CommandProcessing
  readonly workers: number
  readonly queue: QueuePolicy
}

/** @throws {DefinitionError} `invalid_definition`, naming what is wrong */
export function checkedQueue(
  name: string,
  given: {
    readonly commandProcessing?: unknown
    readonly workers?: unknown
    readonly queue?: unknown
    readonly recurring?: unknown
  },
  store: EventStore,
): CheckedQueue {
  const { commandProcessing = 'sync', workers = 0 } = given
  if (commandProcessing !== 'sync' && commandProcessing !== 'async') {
    throw new DefinitionError(`the application ${name}: commandProcessing is 'sync' or 'async'`)
  }
  const checked = {
    commandProcessing,
    workers: atLeast(0, name, 'workers', workers),
    queue: checkedPolicy(name, given.queue ?? {}),
    recurring: checkedRecurring(name, given.recurring ?? []),
  } as const
  const what = needsStore(checked)
  if (what === undefined || store.commands !== undefined) return checked
  throw new DefinitionError(
    `the application ${name} cannot have ${what}: the ${store.name} event store keeps no commands`,
  )
}

function needsStore({ commandProcessing, workers, recurring }: CheckedQueue): string | undefined {
  if (workers > 0) return 'workers'
  if (recurring.length > 0) return 'recurring commands'
  return commandProcessing === 'async' ? `commandProcessing: 'async'` : undefined
}

function checkedRecurring(name: string, given: unknown): readonly RecurringBody[] {
  if (!Array.isArray(given)) throw new DefinitionError(`the application ${name}: recurring must be a list`)
  const bodies = given.map(recurringBodyOf).filter((body) => body !== undefined)
  if (bodies.length < given.length) {
    throw new DefinitionError(`the application ${name}: recurring holds something that is no recurring(…)`)
  }
  const twice = bodies.find((body, index) => bodies.findIndex((other) => other.name === body.name) < index)
  if (twice === undefined) return bodies
  throw new DefinitionError(`the application ${name} has two recurring commands named ${twice.name}`)
}

function checkedPolicy(name: string, given: unknown): QueuePolicy {
  const keys = ['maxAttempts', 'backoff', 'order', 'lease', 'pollInterval', 'retention']
  const { maxAttempts, backoff, order, lease, pollInterval, retention }: Readonly<Record<string, unknown>> = {
    ...DEFAULT_QUEUE_POLICY,
    ...said(checkedKeys(name, 'queue', given, keys)),
  }
  if (order !== 'relaxed' && order !== 'strict') {
    throw new DefinitionError(`the application ${name}: queue.order is 'relaxed' or 'strict'`)
  }
  const { base, longest }: Readonly<Record<string, unknown>> = {
    ...DEFAULT_QUEUE_POLICY.backoff,
    ...said(checkedKeys(name, 'queue.backoff', backoff, ['base', 'longest'])),
  }
  return Object.freeze({
    maxAttempts: atLeastOne(name, 'queue.maxAttempts', maxAttempts),
    backoff: Object.freeze({
      base: atLeast(0, name, 'queue.backoff.base', base),
      longest: atLeast(0, name, 'queue.backoff.longest', longest),
    }),
    order,
    lease: atLeast(SHORTEST_LEASE_MS, name, 'queue.lease', lease),
    pollInterval: atLeastOne(name, 'queue.pollInterval', pollInterval),
    retention: retention === Infinity ? Infinity : atLeast(0, name, 'queue.retention', retention),
  })
}

/** As with every option, undefined says nothing. */
function said(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
