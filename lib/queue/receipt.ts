import { InvalidOptionError, UnknownCommandError } from '../errors.ts'
import { checkOptions } from '../event-store/argument-checks.ts'
import type { CommandReceipt, CommandStatus, CompletedOptions } from '../routing/command-receipt.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { statusOf } from './command-status.ts'
import type { QueueServices } from './queue-services.ts'
import type { Over, ReceiptWaits } from './receipt-waits.ts'
import { errorOf } from './stored-failure.ts'
import { resultOf } from './stored-result.ts'

/** How long `completed` waits where nobody says it, in milliseconds. */
export const DEFAULT_PATIENCE_MS = 30_000

/** What receipts of an application share. */
export interface ReceiptServices extends QueueServices {
  readonly waits: ReceiptWaits
  /** Throws where the application does not run. */
  readonly mustRun: () => void
}

/** The body of every receipt. */
export class Receipt implements CommandReceipt {
  readonly commandId: string
  readonly position: number
  readonly #services: ReceiptServices

  constructor(services: ReceiptServices, commandId: string, position: number) {
    this.#services = services
    this.commandId = commandId
    this.position = position
    Object.freeze(this)
  }

  async status(): Promise<CommandStatus> {
    this.#services.mustRun()
    const [command] = await this.#services.commands.read([this.commandId])
    if (command === undefined) throw new UnknownCommandError(this.commandId)
    return statusOf(this.#services, command)
  }

  async completed(options?: CompletedOptions): Promise<ExecutionResult> {
    this.#services.mustRun()
    checkOptions('completed', options, ['timeout'])
    const { timeout = DEFAULT_PATIENCE_MS } = options ?? {}
    if (!(timeout > 0)) throw new InvalidOptionError('timeout must be a positive number of milliseconds, or Infinity')
    return outcomeOf(this.#services, await this.#services.waits.wait(this.commandId, timeout))
  }

  async cancel(): Promise<boolean> {
    this.#services.mustRun()
    const [cancelled] = await this.#services.commands.cancel([this.commandId])
    return cancelled === true
  }
}

/** What a command that is over came to, as a dispatch would give it. */
export async function outcomeOf(services: QueueServices, over: Over): Promise<ExecutionResult> {
  if ('result' in over) return over.result
  if ('error' in over) throw over.error
  if (over.command.state === 'completed') return resultOf(services, over.command)
  throw errorOf(over.command)
}
