import { printable } from './printable.ts'
import type { BankReport } from './run-bank.ts'
import type { AccountBalance } from './stores/account-balance.ts'
import { table, type Column } from './table.ts'

const count = new Intl.NumberFormat('en')
const seconds = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

const columns: readonly Column<AccountBalance>[] = [
  { title: 'account', align: 'left', cell: ({ accountNumber }) => printable(accountNumber) },
  { title: 'owner', align: 'left', cell: ({ owner }) => printable(owner) },
  { title: 'status', align: 'left', cell: ({ status }) => status },
  { title: 'balance', align: 'right', cell: ({ balance }) => String(balance) },
  { title: 'version', align: 'right', cell: ({ version }) => String(version) },
]

/** The report for people. Like the one for programs it comes in pieces: there may be a million accounts. */
export function* reportAsText(report: BankReport, elapsedSeconds: number): Generator<string, void> {
  for (const line of table(columns, report.accounts)) yield `${line}\n`

  const rejections = byCode(report)
  const rejected = rejections.reduce((sum, [, times]) => sum + times, 0)
  const commands = report.accepted + rejected
  yield `\naccepted  ${count.format(report.accepted)}\n`
  yield `rejected  ${count.format(rejected)}`
  if (rejected > 0) yield ` (${rejections.map(([code, times]) => `${code} ${count.format(times)}`).join(', ')})`
  yield '\n'
  const { completed, failed } = report.transfers
  if (completed + failed > 0) yield `transfers ${count.format(completed)} completed, ${count.format(failed)} failed\n`
  if (report.invalid.length > 0) yield `invalid   ${count.format(report.invalid.length)}\n`
  yield `\n${count.format(commands)} commands in ${seconds.format(elapsedSeconds)} s`
  yield `: ${count.format(Math.round(commands / elapsedSeconds))} a second\n`
}

export function* reportAsJson(report: BankReport): Generator<string, void> {
  yield '{"accounts":['
  let separator = '\n'
  for (const { accountNumber, owner, status, balance, version } of report.accounts) {
    yield separator + JSON.stringify({ accountNumber, owner, status, balance, version })
    separator = ',\n'
  }
  yield `\n],\n"accepted":${report.accepted},\n`
  yield `"rejected":${JSON.stringify(Object.fromEntries(byCode(report)))},\n`
  yield `"transfers":${JSON.stringify(report.transfers)},\n`
  yield `"invalid":${JSON.stringify(report.invalid)}}\n`
}

function byCode({ rejected }: BankReport): [code: string, times: number][] {
  return [...rejected].sort(([a], [b]) => (a < b ? -1 : 1))
}
