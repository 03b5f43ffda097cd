import { randomUUID } from 'node:crypto'
import type { Queue } from '../cases/queue-alone.ts'
import type { EventStore } from '../edict.ts'
import { storeAt } from './durable-store.ts'

/** The store's own queue, without an application. */
export class EdictQueue implements Queue {
  readonly #store: EventStore
  readonly #commands: NonNullable<EventStore['commands']>

  private constructor(store: EventStore, commands: NonNullable<EventStore['commands']>) {
    this.#store = store
    this.#commands = commands
  }

  static async open(connectionString: string): Promise<EdictQueue> {
    const store = storeAt('postgres', connectionString)
    await store.open()
    if (store.commands === undefined) throw new Error('the store keeps no commands')
    return new EdictQueue(store, store.commands)
  }

  async add(index: number): Promise<unknown> {
    const commandId = randomUUID()
    const accountNumber = `ACC-${index % 1_000}`
    return this.#commands.enqueue([
      {
        commandId,
        type: 'DepositMoney',
        data: JSON.stringify({ accountNumber, amount: 1 }),
        contentType: 'application/json',
        metadata: {},
        correlationId: commandId,
        causationId: commandId,
        tenant: undefined,
        streamId: `bank-account-${accountNumber}`,
        lane: 1,
        strict: false,
        fingerprint: 'fingerprint',
        idempotencyKey: undefined,
        notBefore: undefined,
        delay: undefined,
        deadline: undefined,
        depth: 0,
        options: {},
        createdAt: Date.now(),
        byCaller: false,
      },
    ])
  }

  async take(): Promise<number> {
    const { claims } = await this.#commands.claim({ owner: 'bench', groups: 64, commandsOfEach: 4, lease: 60_000 })
    const settlements = claims.flatMap(({ commands, streamId, lane, epoch }) =>
      commands.map(({ commandId }) => ({
        commandId,
        hold: { streamId, lane, epoch },
        state: 'completed' as const,
        result: undefined,
      })),
    )
    if (settlements.length > 0) await this.#commands.settle(settlements)
    return settlements.length
  }

  async close(): Promise<void> {
    await this.#store.close()
  }
}
