import type { ApplicationInside } from '../application/inside.ts'
import { failed, ok, warning, type Finding } from './finding.ts'
import { duration } from './table.ts'

/** Whether queued commands are run in time, and how many have come to nothing. */
export async function checkQueue({ commands }: ApplicationInside, maxAge: number): Promise<readonly Finding[]> {
  if (commands === undefined) return []
  const { states, oldestAge } = await commands.depth()
  const waiting = `${states.queued} command(s) are due, ${states.running} run, ${states.delayed} are for later`
  const { dead } = states
  return [
    oldestAge > maxAge
      ? failed('queue', `${waiting}; the oldest has been due for ${duration(oldestAge)}: does a server run?`)
      : ok('queue', waiting),
    ...(dead > 0 ? [warning('dead-letters', `${dead} command(s) have failed for good: edict dead-letters list`)] : []),
  ]
}
