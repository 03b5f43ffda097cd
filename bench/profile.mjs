// Runs one thing of Edict's for some seconds, for a profiler to look at:
//   node build.mjs && node --cpu-prof profile.mjs --run pure --seconds 5
//   node --prof profile.mjs --run strong && node --prof-process isolate-*.log
//   node --trace-deopt profile.mjs --run draft --seconds 2
import { parseArgs } from 'node:util'
import { accountNumbers, amountOf, depositInTurn, openAll } from './dist/cases/deposits.js'
import { EdictBank } from './dist/contenders/edict-bank.js'
import { BareLoop } from './dist/contenders/bare-loop.js'
import { AccountOpened, MoneyDeposited } from './dist/domain/edict-account.js'
import { eventHandler, inMemoryEventStore } from './dist/edict.js'

const { values } = parseArgs({
  options: { run: { type: 'string', default: 'pure' }, seconds: { type: 'string', default: '5' } },
})

const accounts = accountNumbers(1_000)
const TURNS = 50

const deposits = (open) => async () => {
  const bank = await open()
  await openAll(bank, accounts)
  await depositInTurn(bank, accounts, TURNS)
  await bank.close()
  return accounts.length * TURNS
}

const handler = () =>
  eventHandler('account-balances', {
    events: [AccountOpened, MoneyDeposited],
    consistency: 'strong',
    handle: { AccountOpened: () => undefined, MoneyDeposited: () => undefined },
  })

const hook = () => ({ beforeDispatch: () => undefined, afterDispatch: () => undefined })

const folding = async (apply) => {
  const eventStore = inMemoryEventStore()
  const writer = await EdictBank.open({ apply, eventStore })
  await writer.open(accounts[0])
  for (let turn = 0; turn < 10_000; turn++) await writer.deposit(accounts[0], amountOf(turn))
  await writer.close()
  return async () => {
    const reader = await EdictBank.open({ apply, eventStore })
    await reader.state(accounts[0])
    await reader.close()
    return 10_000
  }
}

const runs = {
  bare: () => deposits(BareLoop.open),
  pure: () => deposits(() => EdictBank.open()),
  draft: () => deposits(() => EdictBank.open({ apply: 'draft' })),
  hooks: () => deposits(() => EdictBank.open({ middleware: [hook(), hook(), hook()] })),
  eventual: () => deposits(() => EdictBank.open({ handlers: [handler()] })),
  strong: () => deposits(() => EdictBank.open({ handlers: [handler()], consistency: 'strong' })),
  fold: () => folding('pure'),
  'fold-draft': () => folding('draft'),
}

const prepare = runs[values.run]
if (prepare === undefined) throw new Error(`there is no run ${values.run}: there are ${Object.keys(runs).join(', ')}`)
const pass = await prepare()
const begun = performance.now()
const end = begun + Number(values.seconds) * 1_000
let done = 0
while (performance.now() < end) done += await pass()
const perSecond = done / ((performance.now() - begun) / 1_000)
console.log(`${values.run}: ${Math.round(perSecond).toLocaleString('en-US')} a second, set-up included`)
