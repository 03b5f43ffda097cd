import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readLines } from '../../examples/bank/line-reader.ts'
import { randomCommands } from '../../examples/bank/random-commands.ts'
import { reportAsJson, reportAsText } from '../../examples/bank/report.ts'
import { runBank } from '../../examples/bank/run-bank.ts'
import { memoryBank } from '../../examples/bank/stores/memory-bank.ts'
import type { StoreChoice } from '../../examples/bank/stores/store-choice.ts'
import { withBankStore } from '../../examples/bank/stores/with-bank-store.ts'
import { BankModel, type ModelCommand, type ModelReport } from './bank-model.ts'
import { withinPatience } from '../support/within-patience.ts'
import { exitOf, runExample, startExample, type ExampleResult } from './run-example.ts'

const example = (name: string) => fileURLToPath(new URL(`../../examples/bank/${name}`, import.meta.url))

const line = (type: string, data: unknown) => JSON.stringify({ type, data })
const opens = (accountNumber: string, initialBalance = 0, owner = 'Åse Dahl') =>
  line('OpenAccount', { accountNumber, owner, initialBalance })
const deposits = (accountNumber: string, amount: number) => line('DepositMoney', { accountNumber, amount })

interface BankRun extends ModelReport {
  readonly problems: ReadonlyMap<number, string>
  readonly progress: readonly number[]
}

/** Runs lines through the bank in this process, and reads what it prints with `--json`. */
async function run(input: string | Buffer, choice: StoreChoice = { kind: 'memory' }): Promise<BankRun> {
  const problems = new Map<number, string>()
  const progress: number[] = []
  const report = await withBankStore(choice, (store) =>
    runBank(readLines(inOneChunk(Buffer.from(input))), store, {
      onInvalid: (lineNumber, problem) => void problems.set(lineNumber, problem),
      onProgress: (commands) => void progress.push(commands),
    }),
  )
  const printed = JSON.parse([...reportAsJson(report)].join('')) as ModelReport
  return { ...printed, problems, progress }
}

async function* inOneChunk(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes
}

const reportOf = ({ accounts, accepted, rejected, transfers, invalid }: ModelReport): ModelReport => ({
  accounts,
  accepted,
  rejected,
  transfers,
  invalid,
})

describe('the bank example', () => {
  it('runs commands in order and gives the accounts, sorted by number', async () => {
    const { problems, progress, ...report } = await run(
      [opens('b', 5, '山田 花子'), opens('a'), deposits('b', 7), deposits('c', 1), opens('a', 9)].join('\n'),
    )
    expect(report).toEqual({
      accounts: [
        { accountNumber: 'a', owner: 'Åse Dahl', status: 'open', balance: 0, version: 1 },
        { accountNumber: 'b', owner: '山田 花子', status: 'open', balance: 12, version: 2 },
      ],
      accepted: 3,
      rejected: { account_already_open: 1, account_not_open: 1 },
      transfers: { completed: 0, failed: 0 },
      invalid: [],
    })
    expect(problems).toEqual(new Map())
    expect(progress.at(-1)).toBe(5)
  })

  it('sorts accounts by code unit, wherever it runs', async () => {
    const numbers = ['z', 'Z', 'ä', 'a', '10', '9', '\u{1F600}', '\uFB01', 'a-1', '__proto__', 'constructor']
    const { accounts } = await run(numbers.map((number) => opens(number)).join('\n'))
    expect(accounts.map(({ accountNumber }) => accountNumber)).toEqual([...numbers].sort())
  })

  it('has nothing to say about an empty file', async () => {
    const nothing = { accounts: [], accepted: 0, rejected: {}, transfers: { completed: 0, failed: 0 }, invalid: [] }
    expect(reportOf(await run(''))).toEqual(nothing)
    expect(reportOf(await run('\uFEFF\r\n\n'))).toEqual(nothing)
  })

  it.each<[what: string, text: string, problem: RegExp]>([
    ['that is no JSON', '{"type":"OpenAccount"', /JSON/],
    ['that is two JSON values', `${opens('a')}${opens('b')}`, /JSON/],
    ['with a command of another type', line('StealMoney', { accountNumber: 'a' }), /StealMoney/],
    ['whose type is a name from Object.prototype', line('constructor', { accountNumber: 'a' }), /constructor/],
    ['whose type is __proto__', line('__proto__', { accountNumber: 'a' }), /__proto__/],
    ['without a type', '{"data":{"accountNumber":"a"}}', /type/],
    ['whose type is no text', '{"type":["OpenAccount"],"data":{}}', /type/],
    ['without data', '{"type":"CloseAccount"}', /CloseAccount/],
    ['whose data lacks a key', line('OpenAccount', { accountNumber: 'a', initialBalance: 0 }), /owner/],
    ['whose data has a value of another kind', line('DepositMoney', { accountNumber: 5, amount: 5 }), /accountNumber/],
    ['with an amount of nothing', line('DepositMoney', { accountNumber: 'a', amount: 0 }), /amount/],
    ['with a broken amount', line('WithdrawMoney', { accountNumber: 'a', amount: 0.5 }), /amount/],
    [
      'with an amount below nothing',
      line('OpenAccount', { accountNumber: 'a', owner: '', initialBalance: -1 }),
      /initialBalance/,
    ],
    [
      'with an amount beyond the safe integers',
      '{"type":"DepositMoney","data":{"accountNumber":"a","amount":9007199254740993}}',
      /amount/,
    ],
    [
      'with an amount beyond all numbers',
      '{"type":"DepositMoney","data":{"accountNumber":"a","amount":1e999}}',
      /amount/,
    ],
    [
      'with an account number that no database could keep',
      line('CloseAccount', { accountNumber: 'a\0' }),
      /accountNumber/,
    ],
    [
      'with half a character for a name',
      line('OpenAccount', { accountNumber: 'a', owner: '\uD83D', initialBalance: 0 }),
      /owner/,
    ],
    ['with an account number without end', line('CloseAccount', { accountNumber: 'a'.repeat(101) }), /accountNumber/],
    ['with an empty account number', line('CloseAccount', { accountNumber: '' }), /accountNumber/],
    [
      'whose data hides behind __proto__',
      '{"type":"CloseAccount","data":{"__proto__":{"accountNumber":"a"}}}',
      /__proto__/,
    ],
    ['whose command hides behind __proto__', `{"__proto__":${line('CloseAccount', { accountNumber: 'a' })}}`, /type/],
    ['that is a number', '5', /./],
    ['that is null', 'null', /./],
    ['that is a text', '"OpenAccount"', /./],
    ['that is a list', '[]', /./],
  ])('tells of a line %s, and runs the rest', async (_, text, problem) => {
    const { accounts, accepted, rejected, invalid, problems } = await run(
      `${opens('a', 1)}\n\n${text}\n${deposits('a', 2)}`,
    )
    expect(invalid).toEqual([3])
    expect([...problems]).toEqual([[3, expect.stringMatching(problem)]])
    expect(accounts).toEqual([{ accountNumber: 'a', owner: 'Åse Dahl', status: 'open', balance: 3, version: 2 }])
    expect([accepted, rejected]).toEqual([2, {}])
  })

  it('takes the last of two equal keys, as JSON.parse does', async () => {
    const { accounts } = await run(
      '{"type":"X","type":"OpenAccount","data":{"accountNumber":"a","accountNumber":"b","owner":"o","initialBalance":1}}',
    )
    expect(accounts).toMatchObject([{ accountNumber: 'b' }])
  })

  it('refuses the deposit that would make a balance inexact', async () => {
    const { accounts, rejected } = await run([opens('a', Number.MAX_SAFE_INTEGER), deposits('a', 1)].join('\n'))
    expect(accounts).toMatchObject([{ balance: Number.MAX_SAFE_INTEGER, version: 1 }])
    expect(rejected).toEqual({ balance_too_large: 1 })
  })

  it.each<[store: StoreChoice['kind'] & ('memory' | 'temporary'), numRuns: number]>([
    ['memory', 150],
    ['temporary', 15],
  ])('does what a plain model of a bank does, with a store that is %s', async (kind, numRuns) => {
    const accountNumber = fc.constantFrom('a', 'b', 'c', '__proto__', 'toString')
    const amount = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 40 }))
    const initialBalance = fc.oneof(fc.constant(0), amount)
    const command: fc.Arbitrary<ModelCommand> = fc.oneof(
      fc.record({
        type: fc.constant('OpenAccount' as const),
        data: fc.record({ accountNumber, owner: fc.string({ unit: 'grapheme' }), initialBalance }),
      }),
      fc.record({ type: fc.constant('DepositMoney' as const), data: fc.record({ accountNumber, amount }) }),
      fc.record({ type: fc.constant('WithdrawMoney' as const), data: fc.record({ accountNumber, amount }) }),
      fc.record({ type: fc.constant('CloseAccount' as const), data: fc.record({ accountNumber }) }),
    )
    const broken = fc.constantFrom('{', 'null', line('Nothing', {}), line('DepositMoney', { accountNumber: 'a' }))
    const entry = fc.oneof({ arbitrary: command, weight: 20 }, broken, fc.constant(''))
    const lineEnd = fc.constantFrom('\n', '\r\n')

    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 60 }), lineEnd, async (entries, end) => {
        const model = new BankModel()
        const invalid: number[] = []
        entries.forEach((one, index) => {
          if (typeof one !== 'string') model.run(one)
          else if (one !== '') invalid.push(index + 1)
        })
        const text = entries.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)) + end).join('')
        const report = reportOf(await run(text, { kind }))
        expect(report).toEqual(model.report(invalid))
        expect(report.accounts.reduce((sum, { balance }) => sum + balance, 0)).toBe(model.moneyKept)
      }),
      { numRuns, ...withinPatience },
    )
  })

  it('hands an error of its input to the caller, and can run again', async () => {
    async function* failing() {
      yield Buffer.from(`${opens('a')}\n`)
      throw new Error('the disk is gone')
    }
    await expect(runBank(readLines(failing()), memoryBank())).rejects.toThrow('the disk is gone')
    expect(await run(opens('a'))).toMatchObject({ accepted: 1 })
  })

  it('prints a table that lines up on a terminal, whatever the names are made of', async () => {
    const owners = ['Åse Dahl', '山田 花子', 'e\u0301mile', '\u001b[2J\u0007\nroot', '\u202Eevil']
    const text = owners.map((owner, index) => opens(`n${index}`, index * 1000, owner)).join('\n')
    const report = await runBank(readLines(inOneChunk(Buffer.from(text))), memoryBank())
    expect([...reportAsText(report, 0.5)].join('').split('\n')).toEqual([
      'account  owner                      status  balance  version',
      '───────  ─────────────────────────  ──────  ───────  ───────',
      'n0       Åse Dahl                   open          0        1',
      'n1       山田 花子                  open       1000        1',
      'n2       e\u0301mile                      open       2000        1',
      'n3       \\u001b[2J\\u0007\\u000aroot  open       3000        1',
      'n4       \\u202eevil                 open       4000        1',
      '',
      'accepted  5',
      'rejected  0',
      '',
      '5 commands in 0.5 s: 10 a second',
      '',
    ])
  })
})

describe('the transfers of the bank example', () => {
  const transfers = (transferId: string, from: string, to: string, amount: number) =>
    line('TransferMoney', { transferId, from, to, amount })

  it('move money, or fail and give it back', async () => {
    const {
      accounts,
      accepted,
      rejected,
      transfers: ended,
    } = await run(
      [
        ...[opens('a', 10), opens('b', 1), opens('c'), line('CloseAccount', { accountNumber: 'c' })],
        ...[transfers('1', 'a', 'b', 4), transfers('2', 'a', 'c', 3), transfers('3', 'b', 'a', 500)],
        ...[transfers('4', 'nobody', 'a', 1), transfers('5', 'a', 'nobody', 1)],
        ...[transfers('6', 'a', 'a', 1), transfers('1', 'a', 'b', 4)],
      ].join('\n'),
    )
    expect(accounts.map(({ accountNumber, balance }) => [accountNumber, balance])).toEqual([
      ['a', 6],
      ['b', 5],
      ['c', 0],
    ])
    expect([accepted, rejected, ended]).toEqual([
      9,
      { same_account: 1, transfer_already_requested: 1 },
      { completed: 1, failed: 4 },
    ])
  })

  it.each<[store: StoreChoice['kind'] & ('memory' | 'temporary'), numRuns: number]>([
    ['memory', 40],
    ['temporary', 5],
  ])('neither make nor lose money, whatever goes on beside them, with a store that is %s', async (kind, numRuns) => {
    const accountNumber = fc.constantFrom('a', 'b', 'c')
    const amount = fc.integer({ min: 1, max: 9 })
    const command = fc.oneof(
      fc
        .record({ from: accountNumber, to: accountNumber, amount, transferId: fc.uuid() })
        .map((data) => line('TransferMoney', data)),
      fc.tuple(accountNumber, amount).map(([of, by]) => opens(of, by)),
      fc.tuple(accountNumber, amount).map(([of, by]) => deposits(of, by)),
      fc.record({ accountNumber, amount }).map((data) => line('WithdrawMoney', data)),
      fc.record({ accountNumber }).map((data) => line('CloseAccount', data)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (lines) => {
        // The run itself holds the accounts, and what is under way, against what was paid in.
        const { accepted, rejected, transfers: ended } = await run(lines.join('\n'), { kind })
        expect(accepted + Object.values(rejected).reduce((sum, count) => sum + count, 0)).toBe(lines.length)
        const requested = lines.filter((text) => text.includes('TransferMoney')).length
        const refused = (rejected['same_account'] ?? 0) + (rejected['transfer_already_requested'] ?? 0)
        expect(ended.completed + ended.failed).toBe(requested - refused)
      }),
      { numRuns, ...withinPatience },
    )
  })
})

describe('the commands that come with the bank example', () => {
  it('are those that its generator makes', async () => {
    const commands = randomCommands({ commands: 1000, accounts: 40, seed: 1 })
    const lines = [...commands].map((command) => `${JSON.stringify(command)}\n`)
    expect(await readFile(example('commands.ndjson'), 'utf8')).toBe(lines.join(''))
  })

  it('are refused for every reason that the bank has', async () => {
    const { rejected } = await run(await readFile(example('commands.ndjson')))
    expect(Object.keys(rejected)).toEqual([
      'account_already_open',
      'account_closed',
      'account_not_empty',
      'account_not_open',
      'insufficient_funds',
    ])
  })
})

describe('the command line of the bank example', () => {
  let folder: string
  const main = example('main.ts')
  const bank = (args: readonly string[], input?: string | Buffer): Promise<ExampleResult> =>
    runExample(main, args, input)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edict-bank-'))
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('runs the commands that come with it, and no money appears or vanishes', async () => {
    const [{ status, stdout, stderr }, commands] = await Promise.all([
      bank(['--json']),
      readFile(example('commands.ndjson'), 'utf8'),
    ])
    const model = new BankModel()
    for (const text of commands.trimEnd().split('\n')) model.run(JSON.parse(text) as ModelCommand)
    const report = JSON.parse(stdout) as ModelReport
    expect(report).toEqual(model.report())
    expect(report.accounts.reduce((sum, { balance }) => sum + balance, 0)).toBe(model.moneyKept)
    expect({ accounts: report.accounts.length, accepted: report.accepted, money: model.moneyKept }).toEqual({
      accounts: 42,
      accepted: 970,
      money: 77_954_414,
    })
    expect([status, stderr]).toEqual([0, ''])
  })

  it('prints the accounts, the counts and the speed', async () => {
    const { status, stdout, stderr } = await bank([])
    expect(stdout).toMatch(/^account +owner +status +balance +version\n(.+\n){43}\naccepted {2}\d+\n/)
    expect(stdout).toMatch(
      /\nrejected {2}\d+ \(account_already_open \d+, .*\)\ntransfers \d+ completed, \d+ failed\n\n1,000 commands in [\d.]+ s: [\d,]+ a second\n$/,
    )
    expect([status, stderr]).toEqual([0, ''])
  })

  it('reads a file, tells of the lines that hold no command, and exits 2', async () => {
    const path = join(folder, 'mixed.ndjson')
    await writeFile(
      path,
      `\uFEFF${opens('a')}\r\n\r\n{"type":\r\n${line('Nothing', {})}\r\n${deposits('a', -1)}\r\n${deposits('a', 3)}`,
    )
    const { status, stdout, stderr } = await bank(['--json', path])
    expect(JSON.parse(stdout)).toEqual({
      accounts: [{ accountNumber: 'a', owner: 'Åse Dahl', status: 'open', balance: 3, version: 2 }],
      accepted: 2,
      rejected: {},
      transfers: { completed: 0, failed: 0 },
      invalid: [3, 4, 5],
    })
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^line 3: .*JSON/),
      expect.stringMatching(/^line 4: .*Nothing/),
      expect.stringMatching(/^line 5: .*amount/),
      '',
    ])
    expect(status).toBe(2)
  })

  it('reads standard input, of which a character may come in two pieces', async () => {
    const child = startExample(main, ['-', '--json'])
    const bytes = Buffer.from(opens('a', 1, '山'))
    const cut = bytes.indexOf('山') + 1
    child.stdin.write(bytes.subarray(0, cut))
    const printed = new Promise<string>((resolve) => {
      let stdout = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
      child.stdout.once('end', () => resolve(stdout))
    })
    setTimeout(() => child.stdin.end(bytes.subarray(cut)), 20)
    expect(await exitOf(child)).toBe(0)
    expect(JSON.parse(await printed)).toMatchObject({ accounts: [{ owner: '山' }], accepted: 1 })
  })

  it('says which file it cannot read, and exits 1', async () => {
    const missing = join(folder, 'missing.ndjson')
    const [ofMissing, ofFolder] = await Promise.all([bank([missing]), bank([folder, '--json'])])
    expect(ofMissing).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining(`cannot read ${missing}: ENOENT`),
    })
    expect(ofFolder).toEqual({ status: 1, stdout: '', stderr: `cannot read ${folder}: it is a directory\n` })
  })

  it('explains itself, and refuses arguments that it does not know', async () => {
    const [help, unknownOption, twoPaths] = await Promise.all([bank(['--help']), bank(['--jsno']), bank(['a', 'b'])])
    expect(help).toEqual({ status: 0, stderr: '', stdout: expect.stringMatching(/^Usage: [^]*--json[^]*Exit status:/) })
    expect(unknownOption).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining("'--jsno'") })
    expect(twoPaths).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('one PATH at most') })
  })

  it('ends quietly when its reader goes away', async () => {
    const child = startExample(main, ['--json'])
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdout.destroy()
    expect(await exitOf(child)).toBe(0)
    expect(stderr).toBe('')
  })
})
