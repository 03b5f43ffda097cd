import type { CommandInfo, Operations } from '../telemetry/operations.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'

/** What telemetry tells of a command under way. */
export function commandInfo(execution: {
  readonly command: { readonly type: string }
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly aggregateId: string
  readonly plan: { readonly model: { readonly name: string }; readonly group: { readonly prefix: string } }
}): CommandInfo {
  const { command, commandId, correlationId, causationId, aggregateId, plan } = execution
  return {
    command: command.type,
    commandId,
    correlationId,
    causationId,
    aggregate: plan.model.name,
    aggregateId,
    streamId: plan.group.prefix + aggregateId,
  }
}

/** How telemetry tells of the end of an execution. */
export const executionEnd = {
  stopped: ({ aggregateVersion, events }: ExecutionResult): Operations['execute']['stop'] => ({
    aggregateVersion,
    events: events.length,
  }),
  failed: (error: unknown): Operations['execute']['exception'] => ({ error }),
}
