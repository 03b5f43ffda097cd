import { sep } from 'node:path'
import { default as Sequencer } from '@jest/test-sequencer'

/** Those that take longest. Begun last, one of them would keep a single core busy while all others have nothing left to do. */
const LONGEST = [
  'adapters/postgres/conformance',
  'docs/snippets',
  'subscribers/many-nodes',
  'faults/queue-kills',
  'faults/postgres-server',
  'faults/postgres-kills',
  'adapters/sqlite/conformance',
  'faults/stops',
  'examples/bank-stores',
  'faults/sqlite-kills',
]

/** The longest first, all others as Jest has them: by what they took before, or by their size. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const found = LONGEST.findIndex((name) => path.endsWith(`${sep}${name.replaceAll('/', sep)}.spec.ts`))
      return found === -1 ? LONGEST.length : found
    }
    return [...super.sort(tests)].sort((one, other) => place(one) - place(other))
  }
}
