import type { Settlement } from '../../event-store/command-queue-store.ts'
import { Coalescer } from './coalescer.ts'
import { SETTLE_SQL, settleParameters } from './command-parameters.ts'
import { isOfOneCommand, writeCommands } from './command-writes.ts'
import type { Database } from './database.ts'
import { Lane } from './lane.ts'
import type { SchemaName } from './schema-name.ts'

const MOST_SETTLEMENTS = 512

/** Ends commands, those that are given meanwhile together. */
export class CommandSettler {
  readonly #lane: Lane
  readonly #sql: string
  readonly #changed: () => void
  readonly #coalescer: Coalescer<Settlement, boolean>

  constructor(database: Database, schema: SchemaName, changed: () => void) {
    this.#lane = new Lane(database)
    this.#sql = schema.sql(SETTLE_SQL)
    this.#changed = changed
    this.#coalescer = new Coalescer({
      send: (settlements) => this.#send(settlements),
      isOfOne: isOfOneCommand,
      keyOf: ({ commandId }) => commandId,
      sizeOf: () => 1,
      most: { items: MOST_SETTLEMENTS, size: MOST_SETTLEMENTS },
    })
  }

  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    return this.#coalescer.add(settlements)
  }

  async close(): Promise<void> {
    await this.#coalescer.end()
    this.#lane.close()
  }

  async #send(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    const once = oncePerHold(settlements)
    try {
      const [row] = await writeCommands(this.#lane, 'settle commands', this.#sql, settleParameters(once))
      // Places from 1, as the function says.
      const settled = new Set(JSON.parse(row?.[0] ?? '[]') as readonly number[])
      if (settled.size > 0) this.#changed()
      const answers = new Set([...settled].map((place) => once[place - 1]))
      return settlements.map((settlement) => answers.delete(settlement))
    } finally {
      this.#lane.rest()
    }
  }
}

/** Of a command that is ended twice under one hold the second finds it ended. */
function oncePerHold(settlements: readonly Settlement[]): readonly Settlement[] {
  const first = new Map<string, Settlement>()
  for (const settlement of settlements) {
    const name = `${settlement.hold?.epoch ?? ''} ${settlement.commandId}`
    if (!first.has(name)) first.set(name, settlement)
  }
  return [...first.values()]
}
