import { chmodSync, existsSync, readdirSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { StoredEvent } from '../../../lib/event-store/stored-event.ts'
import { startChild } from './child-process.ts'
import { OpenStores } from './open-stores.ts'
import { encodedAppend, encodedEvent, statusOf } from './sample-event.ts'

const stores = new OpenStores()
const NOBODY = 65_534

/** Checks that positions, and the versions of each stream, go up by one. */
function expectGapless(events: readonly StoredEvent[]): void {
  const versions = new Map<string, number>()
  for (const [index, event] of events.entries()) {
    const version = (versions.get(event.streamId) ?? 0) + 1
    versions.set(event.streamId, version)
    expect([event.position, event.streamVersion]).toEqual([index + 1, version])
  }
}

describe('several processes on one file of sqliteEventStore', () => {
  it('append at once: each acknowledged event is there once, at the position that was told, without gaps', async () => {
    const { path, directory } = stores.file()
    const store = await stores.open(path, { busyTimeout: 60_000 })
    const children = ['one', 'two', 'three'].map((name, index) =>
      startChild('./appending-process.ts', [path, name, '150', String([1, 8, 32][index])]),
    )
    const own = (async () => {
      for (let number = 0; number < 50; number++) await store.append([encodedAppend('account-1', 2)])
    })()
    const results = await Promise.all(children.map(({ result }) => result))
    await own
    expect(results.map(({ status, stderr }) => [status, stderr])).toEqual(results.map(() => [0, '']))
    const { events } = await store.readAll({ maxCount: 10_000 })
    expect(events).toHaveLength((3 * 150 + 50) * 2)
    expectGapless(events)
    for (const { stdout } of results) {
      const lines = stdout.trim().split('\n')
      expect(lines).toHaveLength(150)
      for (const line of lines) {
        const [position, commandId] = line.split(' ')
        expect(events[Number(position) - 1]?.eventId).toBe(`${commandId}/1`)
        expect(events[Number(position)]?.eventId).toBe(`${commandId}/2`)
      }
    }
    await store.close()
    expect(readdirSync(directory)).toEqual(['events.db'])
  })

  it('lose nothing that was acknowledged when one of them is killed while it appends', async () => {
    const { path } = stores.file()
    const store = await stores.open(path, { busyTimeout: 60_000 })
    // Of two events each: where the kill comes late, all of them are read nevertheless.
    const child = startChild('./appending-process.ts', [path, 'killed', '4900', '16'])
    const seen = new Promise<void>((resolve) => {
      const end = store.watch((head = 0) => {
        if (head < 200) return
        end()
        resolve()
      })
    })
    await seen
    child.process.kill('SIGKILL')
    const { stdout } = await child.result
    expect(await statusOf(store.append([encodedAppend('account-1')]))).toBe('appended')
    const { events } = await store.readAll({ maxCount: 10_000 })
    expectGapless(events)
    const acknowledged = stdout.split('\n').slice(0, -1)
    expect(acknowledged.length).toBeGreaterThan(50)
    for (const line of acknowledged) {
      const [position, commandId] = line.split(' ')
      expect(events[Number(position) - 1]?.commandId).toBe(commandId)
    }
  })

  it('are told of what others append, though they do nothing by themselves', async () => {
    const { path } = stores.file()
    const watching = await stores.open(path)
    const heads: unknown[] = []
    const told = new Promise<void>((resolve) => {
      watching.watch((head) => {
        heads.push(head)
        if (head === 6) resolve()
      })
    })
    const { result } = startChild('./appending-process.ts', [path, 'other', '3', '1'])
    await told
    expect((await result).status).toBe(0)
    expect(heads.at(-1)).toBe(6)
  })

  it('see at once what another store has changed of streams, kinds and versions', async () => {
    const { path } = stores.file()
    const [one, other] = [await stores.open(path), await stores.open(path)]
    await one.append([encodedAppend('account-1')])
    await other.append([encodedAppend('account-1', 1, { events: [encodedEvent({ type: 'Odd' })], expectedVersion: 1 })])
    expect(await statusOf(one.append([encodedAppend('account-1', 1, { expectedVersion: 1 })]))).toBe('version_conflict')
    await one.append([encodedAppend('account-1', 1, { events: [encodedEvent({ type: 'Odd' })], expectedVersion: 2 })])
    await other.archiveStream('account-1')
    expect(await statusOf(one.append([encodedAppend('account-1')]))).toBe('stream_closed')
    await one.restoreStream('account-1')
    expect(await statusOf(other.append([encodedAppend('account-1')]))).toBe('appended')
    const types = (await one.readStream('account-1')).events.map((event) => event.type)
    expect(types).toEqual(['MoneyDeposited', 'Odd', 'Odd', 'MoneyDeposited'])
  })
})

describe('a file that may not be written', () => {
  it('is refused when it is opened, with what to do', async () => {
    const { path, directory } = stores.file()
    await (await stores.open(path)).close()
    chmodSync(directory, 0o755)
    chmodSync(path, 0o444)
    // The administrator may write whatever it says on the file: somebody else has to try.
    const uid = process.getuid?.() === 0 ? NOBODY : undefined
    const { stdout, stderr } = await startChild('./opening-process.ts', [path], { uid }).result
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^store_failed not-executed .*must be writable/)
  })
})

describe('a process that lacks better-sqlite3', () => {
  it('makes a store, and is told by open() what to install', async () => {
    const { path } = stores.file()
    const { stdout, stderr } = await startChild('./opening-process.ts', [path], { first: './without-driver.ts' }).result
    expect([stderr, stdout.trim()]).toEqual([
      '',
      'missing_driver not-executed the sqlite event store needs the package better-sqlite3: npm install better-sqlite3',
    ])
    expect(existsSync(path)).toBe(false)
  })
})
