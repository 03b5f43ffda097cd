import Boss from 'pg-boss'
import type { Queue } from '../cases/queue-alone.ts'

const QUEUE = 'deposits'

export class PgBoss implements Queue {
  readonly #boss: Boss

  private constructor(boss: Boss) {
    this.#boss = boss
  }

  static async open(connectionString: string): Promise<PgBoss> {
    const boss = new Boss({ connectionString, supervise: false, schedule: false })
    boss.on('error', (error) => {
      throw error
    })
    await boss.start()
    await boss.createQueue(QUEUE)
    return new PgBoss(boss)
  }

  add(index: number): Promise<unknown> {
    return this.#boss.send(QUEUE, { accountNumber: `ACC-${index % 1_000}`, amount: 1 })
  }

  async take(): Promise<number> {
    const jobs = await this.#boss.fetch(QUEUE, { batchSize: 256 })
    if (jobs.length > 0) {
      await this.#boss.complete(
        QUEUE,
        jobs.map(({ id }) => id),
      )
    }
    return jobs.length
  }

  close(): Promise<void> {
    return this.#boss.stop({ graceful: false })
  }
}
