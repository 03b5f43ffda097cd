import { isRejection } from '../aggregate/rejection.ts'
import { CommandContext } from '../dispatch/command-context.ts'
import { Executed } from '../dispatch/executed.ts'
import { repeatedResult } from '../dispatch/repeated-result.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import {
  AggregateNotAddedError,
  CommandFailedError,
  CommandRejectedError,
  InvalidOutcomeError,
  isEdictError,
  SeveralAggregatesError,
  UnitRolledBackError,
  VersionConflictError,
} from '../errors.ts'
import type { CommandHandlerBody } from '../routing/command-handler-body.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { ScheduledCommands } from '../routing/scheduling.ts'
import { handleInUnit } from '../unit-of-work/handle-in-unit.ts'
import { repeatedUnit } from '../unit-of-work/repeated-unit.ts'
import type { CommittedBefore, Unit } from '../unit-of-work/unit.ts'
import type { UnitRoot } from '../unit-of-work/unit-root.ts'
import { UnitRun } from '../unit-of-work/unit-run.ts'
import type { BatchEntry } from './batch-entry.ts'
import { provisionalEvents } from './entry-events.ts'
import { Scheduler } from './scheduler.ts'

/** The pass through the batch that a command is part of. */
export interface EntryHost {
  readonly services: DispatchServices
  readonly unit: Unit
  /** Where a command's handler puts what it schedules. */
  schedule(entry: BatchEntry, commands: readonly unknown[]): ScheduledCommands
  /** A command handler was given the unit: it may have hooks for after the commit. */
  ran(run: UnitRun): void
  /** Whether it is one command by itself, which persists one aggregate unless its handler says otherwise. */
  readonly isDispatch: boolean
}

/** Runs one command in the unit of its batch. What it comes to is seen by the commands after it, and stored with all of them. */
export async function executeEntry(host: EntryHost, entry: BatchEntry): Promise<ExecutionResult> {
  entry.begun = true
  const scheduler = new Scheduler(`the command handler of ${entry.command.type}`, (commands) =>
    host.schedule(entry, commands),
  )
  entry.executeCommands = scheduler.executeCommands
  try {
    const { unit: handler } = entry.plan.route
    const { root, reply } = await (handler === undefined ? byAggregate(host, entry) : byHandler(host, entry, handler))
    const events = provisionalEvents(host.unit, entry)
    return new Executed(root.instance, root.version, events, entry.metadata, root.state, reply)
  } finally {
    scheduler.end()
  }
}

interface Ran {
  /** That of the command's own aggregate. */
  readonly root: UnitRoot
  readonly reply: unknown
}

async function byAggregate({ unit }: EntryHost, entry: BatchEntry): Promise<Ran> {
  const root = await ownRoot(unit, entry, 'load')
  refuseOtherVersion(root, entry)
  await admit(root, entry)
  const { plan, command } = entry
  const { handler } = plan.route
  const context = new CommandContext(entry)
  let reply: unknown
  if (handler === undefined) root.execute(entry, command, context)
  else {
    const outcome = await userCode(plan.executorName, () => handler(root.state, command.data, context))
    ;({ reply } = root.settle(entry, command.type, plan.executorName, () => outcome, true))
  }
  unit.add(root)
  return { root, reply }
}

/** Its own aggregate is looked at where that is asked for; the order of loading is the handler's. */
async function byHandler(host: EntryHost, entry: BatchEntry, handler: CommandHandlerBody): Promise<Ran> {
  const { services, unit } = host
  const { expectedVersion, commandId } = entry.options
  const isLookedAt = expectedVersion !== undefined || commandId !== undefined
  if (isLookedAt || entry.plan.route.beforeExecute !== undefined) {
    const root = await ownRoot(unit, entry, 'lookAt')
    refuseOtherVersion(root, entry)
    await admit(root, entry)
  }
  const run = new UnitRun(services, unit, entry, new CommandContext(entry), { instance: undefined })
  const { handling } = services
  const reply = await handleInUnit(run, handler, entry, (work) =>
    handling === undefined ? work() : handling.run(run, work),
  )
  if (run.rolledBack)
    throw new UnitRolledBackError(new Error(`the command handler of ${entry.command.type} rolled it back`))
  // Of this command, and not of the batch at its end: none after it is to start.
  unit.mustBeWhole()
  const lost = unit.changedBy(entry).filter(({ added }) => !added)
  if (lost.length > 0) throw new AggregateNotAddedError(lost.map(({ streamId }) => streamId))
  if (host.isDispatch && entry.scheduledBy === undefined && !handler.multipleAggregates) refuseSeveral(unit, entry)
  host.ran(run)
  return { root: await ownRoot(unit, entry, 'lookAt'), reply }
}

/** The result of a command that committed before, by itself. */
export function repeatedEntry(
  services: DispatchServices,
  entry: BatchEntry,
  found: CommittedBefore,
): MaybePromise<ExecutionResult> {
  const { plan, command, aggregateId, tenant } = entry
  if (plan.route.unit === undefined) return repeatedResult(services, found.instance, command, found.events)
  const group = plan.group.of(tenant)
  return repeatedUnit(services, command, services.instances.obtain(group, aggregateId), found)
}

function refuseSeveral(unit: Unit, entry: BatchEntry): void {
  const changed = unit.changedBy(entry)
  if (changed.length > 1) throw new SeveralAggregatesError(changed.map(({ streamId }) => streamId))
}

/** The aggregate that a command is for, in the unit of its batch. */
export function ownRoot(unit: Unit, entry: BatchEntry, how: 'load' | 'lookAt'): Promise<UnitRoot> {
  const { plan, tenant, aggregateId } = entry
  return unit[how](plan.group.of(tenant), aggregateId, entry)
}

function refuseOtherVersion({ streamId, loadedVersion }: UnitRoot, { options }: BatchEntry): void {
  const { expectedVersion } = options
  if (expectedVersion === undefined || expectedVersion === loadedVersion) return
  throw new VersionConflictError(streamId, expectedVersion, loadedVersion)
}

/** What may keep the command from running. */
async function admit(root: UnitRoot, entry: BatchEntry): Promise<void> {
  const { beforeExecute } = entry.plan.route
  if (beforeExecute === undefined) return
  const { type } = entry.command
  const outcome = await userCode(`beforeExecute of ${type}`, () => beforeExecute(root.state, new CommandContext(entry)))
  if (isRejection(outcome)) throw new CommandRejectedError(outcome.code, type, outcome.details)
  if (outcome !== undefined) throw new InvalidOutcomeError(`beforeExecute of ${type} must give nothing or reject(…)`)
}

async function userCode(who: string, work: () => unknown): Promise<unknown> {
  try {
    return await work()
  } catch (cause) {
    if (isEdictError(cause) && cause.code === 'dispatch_too_deep') throw cause
    throw new CommandFailedError(who, cause)
  }
}
