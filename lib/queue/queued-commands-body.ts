import { InvalidOptionError, UnknownCommandError } from '../errors.ts'
import { checkOptions, checkText } from '../event-store/argument-checks.ts'
import { COMMAND_STATES } from '../event-store/command-states.ts'
import type {
  CommandCount,
  CommandQueueStore,
  CommandState,
  QueuedCommand,
} from '../event-store/command-queue-store.ts'
import type { CommandReceipt, CommandStatus } from '../routing/command-receipt.ts'
import type { Priority } from '../routing/enqueue-options.ts'
import { statusOf } from './command-status.ts'
import { priorityOf } from './lanes.ts'
import type { CommandFilter, DeadLetters, QueueDepth, QueuedCommands } from './queued-commands.ts'
import { Receipt, type ReceiptServices } from './receipt.ts'

const FILTER = ['states', 'types', 'streamId', 'tenant', 'correlationId', 'after', 'limit'] as const
const DEAD_FILTER = FILTER.filter((key) => key !== 'states')
/** So many dead letters are replayed or discarded at a time. */
const PAGE = 200
const DEFAULT_LIMIT = 100

/** The body of `application.commands`. */
export class QueuedCommandsBody implements QueuedCommands {
  readonly deadLetters: DeadLetters
  readonly #services: ReceiptServices
  readonly #commands: CommandQueueStore

  constructor(services: ReceiptServices) {
    this.#services = services
    this.#commands = services.commands
    this.deadLetters = new DeadLettersBody(services)
    Object.freeze(this)
  }

  async get(commandId: string): Promise<CommandStatus | undefined> {
    const command = await one(this.#services, commandId)
    return command && statusOf(this.#services, command)
  }

  async receipt(commandId: string): Promise<CommandReceipt> {
    const command = await one(this.#services, commandId)
    if (command === undefined) throw new UnknownCommandError(commandId)
    return new Receipt(this.#services, commandId, command.position)
  }

  async list(filter?: CommandFilter): Promise<readonly CommandStatus[]> {
    this.#services.mustRun()
    checkOptions('commands.list', filter, FILTER)
    return statusesOf(this.#services, await this.#commands.list(filter))
  }

  async cancel(commandId: string): Promise<boolean> {
    this.#services.mustRun()
    checkText('commands.cancel', 'the command id', commandId)
    const [cancelled] = await this.#commands.cancel([commandId])
    return cancelled === true
  }

  async depth(): Promise<QueueDepth> {
    this.#services.mustRun()
    return depthOf(await this.#commands.count(), await this.#commands.now())
  }
}

/** What the counts of a store come to. */
export function depthOf(counts: readonly CommandCount[], now: number): QueueDepth {
  // All of them are there.
  const states = Object.fromEntries(COMMAND_STATES.map((state) => [state, 0])) as Record<CommandState, number>
  const priorities: Record<Priority, number> = { high: 0, normal: 0, low: 0 }
  let oldestAge = 0
  for (const { state, lane, count, oldestDueAt } of counts) {
    states[state] += count
    if (state === 'queued' || state === 'running') priorities[priorityOf(lane)] += count
    if (state === 'queued' && oldestDueAt !== undefined) oldestAge = Math.max(oldestAge, now - oldestDueAt)
  }
  return Object.freeze({ states: Object.freeze(states), priorities: Object.freeze(priorities), oldestAge })
}

class DeadLettersBody implements DeadLetters {
  readonly #services: ReceiptServices

  constructor(services: ReceiptServices) {
    this.#services = services
    Object.freeze(this)
  }

  async list(filter?: Omit<CommandFilter, 'states'>): Promise<readonly CommandStatus[]> {
    return statusesOf(this.#services, await this.#found('deadLetters.list', filter))
  }

  async get(commandId: string): Promise<CommandStatus | undefined> {
    const command = await one(this.#services, commandId)
    return command?.state === 'dead' ? statusOf(this.#services, command) : undefined
  }

  replay(which: string | Omit<CommandFilter, 'states'>): Promise<number> {
    return this.#each('deadLetters.replay', which, (ids) => this.#services.commands.replay(ids))
  }

  discard(which: string | Omit<CommandFilter, 'states'>): Promise<number> {
    return this.#each('deadLetters.discard', which, (ids) => this.#services.commands.discard(ids))
  }

  async #each(
    where: string,
    which: string | Omit<CommandFilter, 'states'>,
    change: (commandIds: readonly string[]) => ReturnType<CommandQueueStore['replay']>,
  ): Promise<number> {
    this.#services.mustRun()
    // From JavaScript, anything; nothing at all does not mean everything.
    if ((which as unknown) === undefined) throw new InvalidOptionError(`${where} needs a command id, or a filter`)
    if (typeof which === 'string') return changed(await change([which]))
    const { limit = Infinity } = which
    let { after = 0 } = which
    for (let all = 0, looked = 0; ;) {
      const page = Math.min(PAGE, limit - looked)
      if (page <= 0) return all
      const found = await this.#found(where, { ...which, after, limit: page })
      if (found.length > 0) all += changed(await change(found.map(({ commandId }) => commandId)))
      looked += found.length
      after = found.at(-1)?.position ?? after
      if (found.length < page) return all
    }
  }

  async #found(where: string, filter: Omit<CommandFilter, 'states'> = {}): Promise<readonly QueuedCommand[]> {
    this.#services.mustRun()
    checkOptions(where, filter, DEAD_FILTER)
    return this.#services.commands.list({ limit: DEFAULT_LIMIT, ...filter, states: ['dead'] })
  }
}

function changed(answers: readonly boolean[]): number {
  return answers.filter(Boolean).length
}

async function one({ commands, mustRun }: ReceiptServices, commandId: string): Promise<QueuedCommand | undefined> {
  mustRun()
  checkText('commands', 'the command id', commandId)
  const [command] = await commands.read([commandId])
  return command
}

function statusesOf(services: ReceiptServices, commands: readonly QueuedCommand[]): Promise<readonly CommandStatus[]> {
  return Promise.all(commands.map((command) => statusOf(services, command)))
}
