import { isOfInterest } from '../dispatch/board-entry.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import { interestOf } from '../subscribers/interest.ts'
import type { BatchRunner } from './batch-type.ts'
import type { RehearsedSender } from './dry-run.ts'
import { Scheduler } from './scheduler.ts'
import type { BackgroundBody } from './workflow-body.ts'

/** A background workflow in a dry run: its function runs, and what it schedules is told. */
export function rehearsedWorkflow(
  { model, handler }: BackgroundBody,
  { applicationName: application, ids }: DispatchServices,
  batches: Pick<BatchRunner, 'check'>,
  signal: AbortSignal,
): RehearsedSender {
  const { name, types, handleByType } = model
  const interest = { types, selects: interestOf(handler) }
  const send = async (event: RecordedEvent) => {
    const commands: SealedMessage[] = []
    const scheduler = new Scheduler(`the workflow ${name}`, (given) => {
      const made = given.map((command) => batches.check(command))
      commands.push(...made)
      return Object.freeze({ commands: made.map(({ type }) => ({ type, commandId: ids.next() })), depth: 1 })
    })
    const recorded = forAnotherReader(event)
    try {
      await handleByType.get(event.type)?.(recorded.data, recorded, {
        executeCommands: scheduler.executeCommands,
        afterCommit: () => undefined,
        ...{ signal, application, workflowName: name, isDryRun: true },
      })
    } finally {
      scheduler.end()
    }
    return [{ sender: { kind: 'background-workflow' as const, name }, commands }]
  }
  const wants = (event: RecordedEvent): boolean => isOfInterest(interest, event)
  return { kind: 'background-workflow', name, wants, send }
}
