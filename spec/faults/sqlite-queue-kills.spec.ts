import { expect, it } from '@jest/globals'
import { sqliteEventStore } from 'edict/sqlite'
import { temporaryFile } from '../adapters/sqlite/temporary-file.ts'
import { killWorkers } from './queue-kills.ts'
import { rounds, timeFor } from './rounds.ts'

const KILLS = rounds(1, 20)
const COMMANDS = rounds(200, 10_000)
const WALKS = rounds(20, 100)

it(
  'Queued commands on one SQLite file whose workers are killed are run once in effect, in order, and none is lost',
  async () => {
    const file = temporaryFile()
    try {
      const { walked, states } = await killWorkers({
        eventStore: sqliteEventStore(file.path, { busyTimeout: 30_000 }),
        worker: { store: 'sqlite', at: file.path },
        ...{ commands: COMMANDS, walks: WALKS, kills: KILLS },
      })
      const whole = Array.from({ length: COMMANDS / WALKS }, (_, index) => index + 1)
      for (const { walk, steps } of walked) expect({ walk, steps }).toEqual({ walk, steps: whole })
      expect(states).toMatchObject({ completed: COMMANDS, dead: 0, queued: 0, running: 0, delayed: 0 })
    } finally {
      file.remove()
    }
  },
  timeFor(KILLS),
)
