import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from '@jest/globals'
import ts from 'typescript'
import { wrongAggregates, wrongCommandHandlers, wrongMarks, wrongProcessManagers, wrongRouters } from './wrong-calls.ts'

const folder = dirname(fileURLToPath(import.meta.url))
const root = join(folder, '../..')
const COMPILING_MS = 300_000

const prelude = `
import { aggregate, application, asynchronously, command, commandHandler, compositeRouter, event } from 'edict'
import { inMemoryEventStore, multi } from 'edict'
import { processManager, reject, renamedEvent, reply, router, shape, synchronously, upcaster } from 'edict'
import { AccountOpened, BankAccount, DepositMoney, Foreign, MoneyDeposited, OpenAccount, Other, initialState } from './domain.ts'
const accounts = router('accounts', (r) => r.identify(BankAccount, { by: 'accountNumber' }).dispatch(OpenAccount, { to: BankAccount }))
`

const wrong = [...wrongMarks, ...wrongAggregates, ...wrongRouters, ...wrongProcessManagers, ...wrongCommandHandlers]
const fileOf = (title: string): string => join(folder, `wrong-${wrong.findIndex((one) => one.title === title)}.ts`)

/** What the compiler says of each file, in one program: its lib files are read once. */
function compiled(files: ReadonlyMap<string, string>): Map<string, string> {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [], files: [] }, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists, getSourceFile } = host
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.readFile = (name) => files.get(name) ?? readFile(name)
  host.getSourceFile = (name, version, ...rest) => {
    const text = files.get(name)
    return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version)
  }
  const program = ts.createProgram([...files.keys()], { ...options, noErrorTruncation: true }, host)
  return new Map(
    [...files.keys()].map((name) => {
      const diagnostics = program.getSemanticDiagnostics(program.getSourceFile(name))
      return [name, diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')).join('\n')]
    }),
  )
}

describe('the compiler', () => {
  let said: Map<string, string>

  beforeAll(() => {
    const files = new Map(wrong.map(({ title, code }) => [fileOf(title), `${prelude}${code}\n`]))
    said = compiled(new Map([...files, [join(folder, 'right.ts'), prelude]]))
  }, COMPILING_MS)

  it('says nothing of what is right', () => {
    expect(said.get(join(folder, 'right.ts'))).toBe('')
  })

  it.each(wrong)('refuses $title with a sentence', ({ title, sentence }) => {
    expect(said.get(fileOf(title))).toContain(sentence)
  })
})
