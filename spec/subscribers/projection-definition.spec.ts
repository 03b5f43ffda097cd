import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { application, event, eventHandler, inMemoryEventStore, shape } from 'edict'
import { projection } from 'edict/projections'
import { projection as postgresProjection } from 'edict/postgres'
import { projection as sqliteProjection, sqliteEventStore } from 'edict/sqlite'
import { Added, counterRouter } from '../support/counter.ts'

const folder = mkdtempSync(join(tmpdir(), 'edict-projection-definition-'))

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const Reset = event('Reset', shape<{ reason: string }>())
const nothing = () => undefined
const good = { events: [Added], tables: { totals: 'total INTEGER' }, project: nothing } as const

function refused(define: () => unknown): string {
  try {
    define()
  } catch (error) {
    expect(error).toMatchObject({ outcome: 'not-executed' })
    return `${(error as { readonly code: string }).code}: ${(error as Error).message}`
  }
  throw new Error('it was accepted')
}

/** The checks that also JavaScript meets. */
const loose = projection as unknown as (name: unknown, definition?: unknown) => object

describe('projection', () => {
  it('gives a frozen value that carries its name, events and version', () => {
    const made = sqliteProjection('totals', { ...good, version: 3 })
    expect([made.name, made.version, made.events]).toEqual(['totals', 3, [Added]])
    expect(Object.isFrozen(made)).toBe(true)
    expect(projection('totals', good).version).toBe(1)
  })

  it('infers data, event, transaction and tables for each function of a table', () => {
    sqliteProjection('totals', {
      events: [Added, Reset],
      tables: { totals: 'total INTEGER', resets: (table) => [`CREATE TABLE ${table} (reason TEXT)`] },
      project: {
        Added: ({ by }, recorded, tx, { tables, rebuilding, attempt, signal }) => {
          const amount: number = by + recorded.data.by + attempt
          const type: 'Added' = recorded.type
          const flags: boolean[] = [rebuilding, signal.aborted]
          tx.prepare(`INSERT INTO ${tables.totals} VALUES (?)`).run(amount)
          // @ts-expect-error there is no such table
          expect([type, flags, tables.total]).toBeDefined()
        },
        Reset: async ({ reason }, _recorded, tx, { tables }) => {
          const text: string = reason
          await Promise.resolve(tx.prepare(`INSERT INTO ${tables.resets} VALUES (?)`).run(text))
        },
      },
      onError: (_error, recorded) => {
        const type: 'Added' | 'Reset' = recorded.type
        throw new Error(type)
      },
    })
    postgresProjection('totals', {
      events: [Added],
      tables: { totals: 'total integer' },
      project: async ({ by }, _recorded, tx, { tables }) => {
        const rows: unknown[] = (await tx.query(`INSERT INTO ${tables.totals} VALUES ($1)`, [by])).rows
        expect(rows).toBeDefined()
        // @ts-expect-error a client of pg has no prepare
        expect(tx.prepare).toBeDefined()
      },
    })
  })

  it('takes the type of the transaction of another store from its annotation', () => {
    interface Mine {
      run(sql: string): void
    }
    projection('totals', {
      ...good,
      project: {
        Added: ({ by }, _recorded, tx: Mine, { tables }) => {
          tx.run(`${tables.totals} ${by.toFixed()}`)
        },
      },
    })
    projection('totals', {
      ...good,
      // @ts-expect-error nothing is known of it where nobody says
      project: (_data, _recorded, tx) => expect(tx.prepare).toBeDefined(),
    })
  })

  it('does not compile, and is refused, where a function is missing or foreign', () => {
    expect(
      refused(() =>
        sqliteProjection('totals', {
          events: [Added, Reset],
          tables: { totals: 'total INTEGER' },
          // @ts-expect-error Reset is missing
          project: { Added: nothing },
        }),
      ),
    ).toBe("invalid_definition: projection('totals'): project has no function for Reset")
    expect(
      refused(() =>
        sqliteProjection('totals', {
          events: [Added],
          tables: { totals: 'total INTEGER' },
          // @ts-expect-error Reset is not one of its events
          project: { Added: nothing, Reset: nothing },
        }),
      ),
    ).toBe("invalid_definition: projection('totals'): project has Reset, which is not one of its events")
  })

  it.each([
    [['', good], 'projection(name, definition): the name must not be empty'],
    [[' ', good], 'projection(name, definition): the name must not be blank'],
    [
      ['n'.repeat(201), good],
      'projection(name, definition): the name must not be longer than 200 characters; it has 201',
    ],
    [['p'], "projection('p') needs a definition: { events, tables, project, … }"],
    ...['p#1', 'p@node'].map((name): [unknown[], string] => [
      [name, good],
      `projection('${name}'): the name must not contain # or @, which tell partitions and nodes of handlers apart`,
    ]),
    [['p', { ...good, events: [] }], "projection('p'): events must be a list of the events that it handles"],
    [
      ['p', { ...good, tables: {} }],
      "projection('p'): tables must be an object with the columns of each table, by its name",
    ],
    [
      ['p', { ...good, tables: { Totals: 'total INTEGER' } }],
      "projection('p'): a table cannot be named Totals: lower-case letters, digits and underscores, at most 40, are needed",
    ],
    [
      ['p', { ...good, tables: { totals: '' } }],
      "projection('p'): tables.totals must be the columns in SQL, or a function of the table's name that gives the statements",
    ],
    [
      ['p', { ...good, project: undefined }],
      "projection('p'): project must be a table of functions by event type, or one function",
    ],
    [['p', { ...good, version: 0 }], "projection('p'): version must be a whole number from 1"],
    [['p', { ...good, batchSize: 1.5 }], "projection('p'): batchSize must be a whole number from 1"],
    [
      ['p', { ...good, startFrom: 'current' }],
      "projection('p'): startFrom must be 'origin' or a position, a whole number from 1",
    ],
    [['p', { ...good, consistency: 'weak' }], "projection('p'): consistency must be 'eventual' or 'strong'"],
    [['p', { ...good, onError: 'skip' }], "projection('p'): onError must be a function"],
    [['p', { ...good, replaces: '' }], "projection('p'): replaces, the name of a projection, must not be empty"],
    [['p', { ...good, replaces: 'p' }], "projection('p'): replaces must be the name of another projection"],
    [
      ['p', { ...good, tables: { totals: () => undefined } }],
      "projection('p'): tables.totals must give a statement in SQL, or a list of them",
    ],
    [
      [
        'p',
        {
          ...good,
          tables: {
            totals: () => {
              throw new Error('no')
            },
          },
        },
      ],
      "projection('p'): tables.totals threw: no",
    ],
    [
      ['p', { ...good, handle: nothing }],
      "projection('p'): unknown option handle; the options are version, events, tables, project, replaces, consistency, startFrom, batchSize, onError",
    ],
  ])('refuses a wrong definition: %j', (given, message) => {
    expect(refused(() => loose(...(given as [unknown, unknown])))).toBe(`invalid_definition: ${message}`)
  })
})

describe('an application', () => {
  const define = (eventStore: Parameters<typeof application>[0]['eventStore'], handlers: readonly object[]) =>
    application({
      name: 'counters',
      router: counterRouter,
      eventStore,
      handlers: handlers as never,
    })
  const file = () => sqliteEventStore(join(folder, 'events.db'))

  it('refuses a projection for another kind of store', () => {
    expect(refused(() => define(file(), [postgresProjection('totals', good)]))).toBe(
      'invalid_definition: the application counters: the projection totals was made by edict/postgres, and the event store is ' +
        'of the kind sqlite: import projection from edict/sqlite',
    )
    expect(define(file(), [sqliteProjection('totals', good)]).name).toBe('counters')
    expect(define(file(), [projection('totals', good)]).name).toBe('counters')
  })

  it('refuses a projection where the store has none', () => {
    expect(refused(() => define(inMemoryEventStore(), [projection('totals', good)]))).toMatch(
      /^unsupported_capability: the in-memory event store has no /,
    )
  })

  it('refuses a projection and a handler of one name', () => {
    const handler = eventHandler('totals', { events: [Added], handle: () => undefined })
    expect(refused(() => define(file(), [handler, sqliteProjection('totals', good)]))).toBe(
      'invalid_definition: the application counters has two handlers named totals',
    )
  })

  it('rebuilds only its own projections, and only while it runs', async () => {
    const own = sqliteProjection('totals', good)
    const handler = eventHandler('other', { events: [Added], handle: () => undefined })
    const app = define(file(), [own, handler])
    await expect(app.rebuild(own)).rejects.toMatchObject({ code: 'not_running' })
    await app.start()
    await expect(app.rebuild(sqliteProjection('totals', good))).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(app.rebuild(handler as never)).rejects.toMatchObject({ code: 'invalid_option' })
    await app.rebuild(own)
    await app.stop()
  })
})
