import type { BoardHandler } from '../dispatch/consistency-board.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { withReply } from '../dispatch/executed.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { BatchEntry } from './batch-entry.ts'

/** What a command of a committed batch came to. */
export interface CommandOutcome {
  readonly type: string
  readonly commandId: string
  /** Undefined where it was given. */
  readonly scheduledBy: string | undefined
  readonly result: ExecutionResult
  /** Those of its events whose handlers are waited for, all of them. */
  readonly synchronous: readonly RecordedEvent[]
  /** The handlers that are waited for. */
  readonly awaited: readonly BoardHandler[]
}

/** Of each command, in their order; with what its middleware answered. */
export function outcomesOf(
  entries: readonly BatchEntry[],
  resultOf: (entry: BatchEntry) => ExecutionResult,
  synchronousOf: (entry: BatchEntry) => readonly RecordedEvent[] | undefined,
): readonly CommandOutcome[] {
  return entries.map((entry) => {
    const { command, commandId, pipeline, awaited, scheduledBy } = entry
    const result = resultOf(entry)
    return {
      ...{ type: command.type, commandId, scheduledBy: scheduledBy?.name, awaited },
      synchronous: synchronousOf(entry) ?? [],
      result: pipeline?.responded ? withReply(result, pipeline.reply) : result,
    }
  })
}

/** As it is given where the command comes again: with what its middleware said this time. */
export function answeredAgain(outcome: CommandOutcome, entry: BatchEntry | undefined): CommandOutcome {
  if (entry === undefined) return outcome
  const { pipeline, awaited } = entry
  const { result } = outcome
  return { ...outcome, awaited, result: pipeline?.responded ? withReply(result, pipeline.reply) : result }
}

/** Of a command that committed before, nobody knows any more which of its events were marked. */
export function synchronousAgain(
  { eventProcessing }: Pick<DispatchServices, 'eventProcessing'>,
  { events }: ExecutionResult,
): readonly RecordedEvent[] {
  return eventProcessing === 'sync' ? events : []
}
