import type { InstanceGroup } from '../aggregate/instance-cache.ts'
import type { CommandInfo, Operations } from '../telemetry/operations.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'

/** What telemetry tells of a command under way. */
export function commandInfo(execution: {
  readonly command: { readonly type: string }
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly aggregateId: string
  readonly tenant: string | undefined
  readonly plan: { readonly model: { readonly name: string }; readonly group: InstanceGroup }
}): CommandInfo {
  const { command, commandId, correlationId, causationId, aggregateId, plan } = execution
  return {
    command: command.type,
    commandId,
    correlationId,
    causationId,
    aggregate: plan.model.name,
    aggregateId,
    ...whereabouts(execution),
  }
}

/** Whose command it is, and which stream it is therefore about. */
export function whereabouts({
  aggregateId,
  tenant,
  plan,
}: {
  readonly aggregateId: string
  readonly tenant: string | undefined
  readonly plan: { readonly group: InstanceGroup }
}): Pick<CommandInfo, 'streamId' | 'tenant'> {
  const group = plan.group.of(tenant)
  return { streamId: group.prefix + aggregateId, tenant }
}

/** How telemetry tells of the end of an execution. */
export const executionEnd = {
  stopped: ({ aggregateVersion, events }: ExecutionResult): Operations['execute']['stop'] => ({
    aggregateVersion,
    events: events.length,
  }),
  failed: (error: unknown): Operations['execute']['exception'] => ({ error }),
}
