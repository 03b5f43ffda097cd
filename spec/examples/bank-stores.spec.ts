import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readAllEvents, type EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import { freshDatabase, type FreshDatabase } from '../support/postgres-server.ts'
import { BankModel, type ModelCommand, type ModelReport } from './bank-model.ts'
import { exitOf, runExample, startExample, TIME_FOR_EXAMPLES, type ExampleResult } from './run-example.ts'

const main = fileURLToPath(new URL('../../examples/bank/main.ts', import.meta.url))
const commandsPath = fileURLToPath(new URL('../../examples/bank/commands.ndjson', import.meta.url))

const opens = (accountNumber: string, initialBalance = 0) =>
  `${JSON.stringify({ type: 'OpenAccount', data: { accountNumber, owner: 'Åse Dahl', initialBalance } })}\n`
const deposits = (accountNumber: string, amount: number) =>
  `${JSON.stringify({ type: 'DepositMoney', data: { accountNumber, amount } })}\n`

/** Not one that was free a moment ago: another process may have it by now. */
const PORT_OF_NOBODY = 1

let folder: string
let database: FreshDatabase
const others: FreshDatabase[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edict-bank-stores-'))
  database = await freshDatabase()
}, 120_000)

afterAll(async () => {
  await database.drop()
  for (const other of others) await other.drop()
  await rm(folder, { recursive: true, force: true })
})

const run = async (store: string, input: string): Promise<ModelReport> => {
  const { status, stdout, stderr } = await runExample(main, ['--json', '--store', store, '-'], input)
  expect([status, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as ModelReport
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + TIME_FOR_EXAMPLES / 2
  while (!(await condition().catch(() => false))) {
    if (Date.now() > end) throw new Error('waited in vain')
    await pause(10)
  }
}

interface Kept {
  /** As `--store` takes it. */
  readonly store: string
  readonly open: () => EventStore
}

const keptInFile = async (name: string): Promise<Kept> => {
  const path = join(folder, `${name}.db`)
  return { store: `sqlite:${path}`, open: () => sqliteEventStore(path) }
}

const keptInDatabase = async (): Promise<Kept> => {
  const { connectionString } = database
  return { store: `postgres:${connectionString}`, open: () => postgresEventStore({ connectionString }) }
}

const keptInAnotherDatabase = async (): Promise<Kept> => {
  const another = await freshDatabase()
  others.push(another)
  const { connectionString } = another
  return { store: `postgres:${connectionString}`, open: () => postgresEventStore({ connectionString }) }
}

describe.each([
  ['SQLite', keptInFile],
  ['PostgreSQL', keptInDatabase],
] as const)('the bank example on %s', (name, kept) => {
  it('goes on where the last run ended, and nothing is forgotten or counted twice', async () => {
    const { store, open } = await kept(`goes-on-${name}`)
    const lines = (await readFile(commandsPath, 'utf8')).trimEnd().split('\n')
    const half = lines.length / 2
    const model = new BankModel()

    const accepted: number[] = []
    for (const part of [lines.slice(0, half), lines.slice(half), []]) {
      for (const line of part) model.run(JSON.parse(line) as ModelCommand)
      const report = await run(store, part.join('\n'))
      expect(report.accounts).toEqual(model.report().accounts)
      accepted.push(report.accepted)
    }
    expect(accepted.reduce((sum, count) => sum + count, 0)).toBe(model.report().accepted)
    expect(accepted.at(-1)).toBe(0)

    const eventStore = open()
    await eventStore.open()
    const positions: number[] = []
    for await (const { position } of readAllEvents(eventStore)) positions.push(position)
    await eventStore.close()
    // Each step of a transfer is an event more.
    const { accepted: events, transfers } = model.report()
    const steps = 3 * transfers.completed + transfers.failed
    expect(positions.length).toBeGreaterThanOrEqual(events + steps)
    expect(positions).toEqual(Array.from(positions, (_, index) => index + 1))
  })
})

const transfers = (transferId: string, from: string, to: string) =>
  `${JSON.stringify({ type: 'TransferMoney', data: { transferId, from, to, amount: 1 } })}\n`

describe.each([
  ['SQLite', keptInFile],
  ['PostgreSQL', keptInAnotherDatabase],
] as const)('the transfers of the bank example on %s', (name, kept) => {
  it('are each carried out once, whole, however often the bank is killed', async () => {
    const { store, open } = await kept(`transfers-${name}`)
    const eventStore = open()
    await eventStore.open()
    const numbers = ['a', 'b', 'c', 'closed']
    const closing = `${JSON.stringify({ type: 'CloseAccount', data: { accountNumber: 'closed' } })}\n`
    await run(store, opens('a', 1_000) + opens('b', 1_000) + opens('c', 1_000) + opens('closed') + closing)
    let asked = 0
    for (let life = 0; life < 2; life++) {
      const before = await eventStore.headPosition()
      const child = startExample(main, ['--json', '--store', store, '-'])
      child.stdin.on('error', () => undefined)
      for (let index = 0; index < 200; index++) {
        child.stdin.write(transfers(`T${++asked}`, numbers[index % 3]!, numbers[(index * 7 + 1) % 4]!))
      }
      await until(async () => (await eventStore.headPosition()) > before + 100 + 57 * life)
      child.kill('SIGKILL')
      await exitOf(child)
    }

    // The run ends when all transfers do, and fails where money has appeared or vanished.
    const { accounts } = await run(store, '')
    expect(accounts.reduce((sum, { balance }) => sum + balance, 0)).toBe(3_000)
    const steps = new Map<string, string[]>()
    for await (const { type, data } of readAllEvents(eventStore)) {
      const { transferId } = JSON.parse(String(data)) as { transferId?: string }
      if (transferId !== undefined) steps.set(transferId, [...(steps.get(transferId) ?? []), type])
    }
    await eventStore.close()
    expect(steps.size).toBeGreaterThan(50)
    const ways = new Set([...steps.values()].map((types) => types.join(' ')))
    expect([...ways].filter((way) => !WAYS.includes(way))).toEqual([])
  })
})

const WAYS = [
  'MoneyTransferRequested MoneyWithdrawn MoneyDeposited MoneyTransferred',
  // It is given back where the other account is closed.
  'MoneyTransferRequested MoneyWithdrawn MoneyDeposited MoneyTransferFailed',
]

describe('the bank example on a store that is interrupted', () => {
  it('finishes what it was told and says how it ended, at Ctrl-C', async () => {
    const { store, open } = await keptInFile('interrupted')
    const child = startExample(main, ['--json', '--store', store, '-'])
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)]
    child.stdin.write(opens('a', 5) + deposits('a', 7))

    const eventStore = open()
    await eventStore.open()
    await until(async () => (await eventStore.headPosition()) === 2)
    await eventStore.close()
    child.kill('SIGINT')

    expect(await exitOf(child)).toBe(130)
    expect(await stderr).toBe('')
    expect(JSON.parse(await stdout)).toMatchObject({ accounts: [{ accountNumber: 'a', balance: 12 }], accepted: 2 })
  })

  it('has every balance right after it was killed', async () => {
    const { store, open } = await keptInFile('killed')
    const child = startExample(main, ['--json', '--store', store, '-'])
    child.stdin.on('error', () => undefined)
    child.stdin.write(opens('a'))
    for (let index = 0; index < 2_000; index++) child.stdin.write(deposits('a', 1) + opens(`n${index}`, 1))

    const eventStore = open()
    await eventStore.open()
    await until(async () => (await eventStore.headPosition()) > 500)
    child.kill('SIGKILL')
    await exitOf(child)

    const balances = new Map<string, number>()
    for await (const { streamId, data } of readAllEvents(eventStore)) {
      const { initialBalance = 0, amount = 0 } = JSON.parse(String(data)) as {
        initialBalance?: number
        amount?: number
      }
      balances.set(streamId, (balances.get(streamId) ?? 0) + initialBalance + amount)
    }
    await eventStore.close()
    const { accounts } = await run(store, '')
    expect(Object.fromEntries(accounts.map(({ accountNumber, balance }) => [accountNumber, balance]))).toEqual(
      Object.fromEntries([...balances].map(([streamId, balance]) => [streamId.replace('bank-account-', ''), balance])),
    )
  })
})

describe('the bank example without --store', () => {
  const inFolder = (temporary: string) => ({ TMPDIR: temporary, TEMP: temporary, TMP: temporary })

  it('begins anew each time, and leaves nothing behind', async () => {
    const temporary = join(folder, 'ended')
    await mkdir(temporary)
    for (let time = 0; time < 2; time++) {
      const { status, stdout } = await runExample(main, ['--json', '-'], opens('a', 5), inFolder(temporary))
      expect(status).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ accounts: [{ balance: 5 }], accepted: 1, rejected: {} })
    }
    expect(left(await readdir(temporary))).toEqual([])
  })

  it('leaves nothing behind at Ctrl-C either', async () => {
    const temporary = join(folder, 'stopped')
    await mkdir(temporary)
    const child = startExample(main, ['--json', '-'], inFolder(temporary))
    const stdout = text(child.stdout)
    child.stdin.write(opens('a'))
    await until(async () => left(await readdir(temporary)).length > 0)
    child.kill('SIGINT')
    expect(await exitOf(child)).toBe(130)
    expect(JSON.parse(await stdout)).toMatchObject({ rejected: {}, invalid: [] })
    expect(left(await readdir(temporary))).toEqual([])
  })

  // The loader that runs TypeScript keeps its own cache and pipe there.
  const left = (names: readonly string[]): string[] => names.filter((name) => !name.startsWith('tsx-'))
})

describe('the bank example tells in one line what is wrong with its store:', () => {
  const bank = (store: string): Promise<ExampleResult> => runExample(main, ['--store', store, '-'], opens('a'))

  it.each([
    [
      'a kind that it does not know',
      'oracle:bank',
      /^--store takes memory, sqlite:PATH or postgres:URL, not oracle:bank\n$/,
    ],
    ['no path', 'sqlite:', /^--store takes .*: the path of the file is missing\n$/],
    ['no URL', 'postgres:localhost', /^--store takes .*: a URL is like postgres:\/\/.*\n$/],
    ['a URL that is none', 'postgres://user:secret@:port/bank', /^--store takes .*: a URL is like (?!.*secret).*\n$/],
  ])('%s', async (_, store, message) => {
    expect(await bank(store)).toEqual({ status: 1, stdout: '', stderr: expect.stringMatching(message) })
  })

  it('a folder that is not there', async () => {
    const path = join(folder, 'missing', 'bank.db')
    expect(await bank(`sqlite:${path}`)).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(new RegExp(`^[^\\n]*${path}[^\\n]*\\n$`)),
    })
  })

  it('a file that is no database', async () => {
    const path = join(folder, 'letter.txt')
    await writeFile(path, 'Dear reader, this is no database, however long you look at it. '.repeat(100))
    expect(await bank(`sqlite:${path}`)).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(new RegExp(`^[^\\n]*${path}[^\\n]*\\n$`)),
    })
  })

  it('a server that is not there', async () => {
    const url = `postgres://user:secret@127.0.0.1:${PORT_OF_NOBODY}/bank`
    const { status, stdout, stderr } = await bank(`postgres:${url}`)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^[^\n]*ECONNREFUSED[^\n]*\n$/)
    expect(stderr).not.toContain('secret')
  })
})
