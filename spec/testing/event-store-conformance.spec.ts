import { describe, expect, it } from '@jest/globals'
import { eventStoreConformance, registerConformance, type ConformanceCase, type MakeStore } from 'edict/testing'
import { inMemoryEventStore } from '../../lib/adapters/in-memory/in-memory-event-store.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import { seenAtLast, timeToSee } from '../faults/seen-at-last.ts'
import { plantedBugs } from './planted-bugs.ts'
import { plantedCommandBugs } from './planted-command-bugs.ts'
import { plantedLeaseBugs } from './planted-lease-bugs.ts'
import { plantedSharedBugs } from './planted-shared-bugs.ts'
import { overlaid } from './planted-store.ts'
import { plantedStreamBugs } from './planted-stream-bugs.ts'
import { sharedCapabilities, sharedMemoryStore } from './shared-memory-store.ts'

const { capabilities } = inMemoryEventStore()
const everyBug = [
  ...plantedBugs,
  ...plantedStreamBugs,
  ...plantedLeaseBugs,
  ...plantedSharedBugs,
  ...plantedCommandBugs,
]
const keyOf = ({ group, name }: ConformanceCase) => `${group}: ${name}`

/** The failure of a case, as a text; undefined where the case passes. */
async function failureOf(one: ConformanceCase): Promise<string | undefined> {
  try {
    await one.run()
    return undefined
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}

async function failuresOf(
  makeStore: MakeStore,
  named: readonly string[],
  declared = capabilities,
): Promise<Record<string, string>> {
  const failures: Record<string, string> = {}
  for (const one of eventStoreConformance(makeStore, { capabilities: declared })) {
    if (!named.includes(keyOf(one))) continue
    const failure = await failureOf(one)
    if (failure !== undefined) failures[keyOf(one)] = failure
  }
  return failures
}

describe('eventStoreConformance', () => {
  // What a bug does with time may not show where the machine stands still in between.
  it.each(everyBug)(
    'finds $bug',
    async ({ makeStore, found, capabilities: declared }) => {
      await seenAtLast(async () => {
        const failures = await failuresOf(makeStore, found, declared)
        expect(Object.keys(failures).sort()).toEqual([...found].sort())
      })
    },
    timeToSee(),
  )

  it('says in a failure what was expected and what came instead', async () => {
    const { makeStore, found } = plantedBugs.find(({ bug }) => bug === 'a conflict without the actual version')!
    expect(await failuresOf(makeStore, found)).toEqual({
      [found[0]!]:
        'the answer: expected {"status":"version_conflict","actual":1}, got {"status":"version_conflict","actual":0}',
    })
  })

  it('has a name of its own for each case', () => {
    const names = eventStoreConformance(inMemoryEventStore, { capabilities }).map(keyOf)
    expect(new Set(names).size).toBe(names.length)
  })

  it.each([
    ['in memory', capabilities],
    ['durable', { ...capabilities, durable: true, multiProcess: true, projections: true, values: 'encoded' } as const],
  ])('runs more than 250 cases of a store that is %s', (_, declared) => {
    const cases = eventStoreConformance(inMemoryEventStore, { capabilities: declared })
    expect(cases.filter(({ skip }) => skip === undefined).length).toBeGreaterThan(250)
  })

  it('has a planted bug for every group that a bug can be planted for', () => {
    const groups = new Set(eventStoreConformance(inMemoryEventStore, { capabilities }).map(({ group }) => group))
    const found = new Set(everyBug.flatMap((bug) => bug.found.map((name) => name.slice(0, name.indexOf(':')))))
    expect([...groups].filter((group) => !found.has(group))).toEqual(['subscriptions'])
  })

  it('fails where a store with projections gives nothing to write to its tables with', async () => {
    const makeStore = () => {
      const { projections: _, ...made } = sharedMemoryStore()
      return made
    }
    const declared = { capabilities: sharedCapabilities }
    const cases = eventStoreConformance(makeStore, declared).filter(({ group }) => group === 'projections')
    const concerned = cases.find(({ skip }) => skip === undefined)
    expect(await failureOf(concerned!)).toContain('a store with projections needs `projections`')
  })

  it('skips what does not concern a store, and says why', () => {
    const skipped = (changes: Partial<typeof capabilities>) =>
      eventStoreConformance(inMemoryEventStore, { capabilities: { ...capabilities, ...changes } })
        .filter((one) => one.skip !== undefined)
        .map((one) => `${one.group}: ${one.skip ?? ''}`)
    expect(skipped({})).toContain('after a restart: the store keeps nothing beyond its process (not durable)')
    expect(skipped({ durable: true })).not.toContainEqual(expect.stringContaining('not durable'))
    expect(skipped({ atomicStreams: false })).toContainEqual(expect.stringContaining('no atomicStreams'))
    expect(skipped({ values: 'encoded' })).toContainEqual(expect.stringContaining("values: 'encoded'"))
  })

  it('skips the cases that it is told to skip, and refuses a name that it does not know', () => {
    const name = 'lifecycle: keeps its events over close and open'
    const cases = eventStoreConformance(inMemoryEventStore, { capabilities, skip: { [name]: 'it forgets' } })
    expect(cases.find((one) => keyOf(one) === name)?.skip).toBe('it forgets')
    const misspelt = { capabilities, skip: { 'lifecycle: keeps': 'it forgets' } }
    expect(() => eventStoreConformance(inMemoryEventStore, misspelt)).toThrow('there is no case "lifecycle: keeps"')
  })

  it('fails where a store declares other capabilities than it was announced with', async () => {
    const announced = { capabilities: { ...capabilities, durable: true } }
    const [first] = eventStoreConformance(inMemoryEventStore, announced)
    expect(await failureOf(first!)).toContain('the capabilities that the store declares: expected {')
  })

  it('fails where a durable store gives no second store value to look with', async () => {
    const durable = { ...capabilities, durable: true }
    const makeStore = () => overlaid(inMemoryEventStore(), { capabilities: durable })
    const restart = eventStoreConformance(makeStore, { capabilities: durable }).find(
      (one) => one.group === 'after a restart',
    )
    expect(await failureOf(restart!)).toContain('a durable store needs `peer`')
  })

  it('closes and destroys what it made, whether a case passes or fails', async () => {
    const open = new Set<EventStore>()
    const log: string[] = []
    const makeStore = (bad: boolean) => () => {
      const made = bad ? plantedBugs[0]!.makeStore() : inMemoryEventStore()
      const store = 'store' in made ? made.store : made
      open.add(store)
      return { store, destroy: () => void log.push(isOpen(store) ? 'destroyed while open' : 'destroyed') }
    }
    const cases = (bad: boolean) => eventStoreConformance(makeStore(bad), { capabilities }).filter(({ skip }) => !skip)
    const good = cases(false).slice(0, 30)
    for (const one of good) expect(await failureOf(one)).toBeUndefined()
    const failing = cases(true).find((one) => keyOf(one) === plantedBugs[0]!.found[0])!
    expect(await failureOf(failing)).toContain('the events in the store')
    expect(new Set(log)).toEqual(new Set(['destroyed']))
    expect(log).toHaveLength(open.size)
  })
})

function isOpen(store: EventStore): boolean {
  try {
    void store.headPosition()
    return true
  } catch {
    return false
  }
}

describe('registerConformance', () => {
  const cases: readonly ConformanceCase[] = [
    { group: 'one', name: 'passes', run: () => Promise.resolve() },
    { group: 'two', name: 'fails', run: () => Promise.reject(new Error('red')) },
    { group: 'one', name: 'is skipped', skip: 'it cannot', run: () => Promise.resolve() },
  ]

  function runner(withSkip: boolean) {
    const log: string[] = []
    const runs: (() => Promise<void>)[] = []
    const note = (kind: string) => (name: string, run: () => Promise<void>) => {
      log.push(`${kind} ${name}`)
      runs.push(run)
    }
    const describeGroup = (name: string, register: () => void) => {
      log.push(name)
      register()
    }
    return {
      log,
      runs,
      describe: describeGroup,
      it: withSkip ? Object.assign(note('it'), { skip: note('skip') }) : note('it'),
    }
  }

  it('registers the cases group by group, and says why one is skipped', async () => {
    const { log, runs, ...functions } = runner(true)
    registerConformance(functions, cases)
    expect(log).toEqual(['one', 'it passes', 'skip is skipped (skipped: it cannot)', 'two', 'it fails'])
    await expect(runs[2]!()).rejects.toThrow('red')
  })

  it('passes what is skipped by in a runner that has no skip', async () => {
    const { log, runs, ...functions } = runner(false)
    registerConformance(functions, cases)
    expect(log).toEqual(['one', 'it passes', 'it is skipped (skipped: it cannot)', 'two', 'it fails'])
    await expect(runs[1]!()).resolves.toBeUndefined()
  })
})
