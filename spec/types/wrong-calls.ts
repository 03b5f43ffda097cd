/** A call that must not compile: what the compiler has to say about it, and the code. */
export interface WrongCall {
  readonly title: string
  /** Stands in the compiler's error, word for word. */
  readonly sentence: string
  readonly code: string
}

const base = `commands: [OpenAccount, DepositMoney], events: [AccountOpened, MoneyDeposited], initialState`
const apply = `apply: { AccountOpened: () => {}, MoneyDeposited: () => {} }`
const executing = (execute: string) => `aggregate('Account', { ${base}, execute: ${execute}, ${apply} })`
const applying = (applied: string) => `aggregate('Account', { ${base}, execute: () => undefined, apply: ${applied} })`
const unique = (rule: string) =>
  `aggregate('Account', { ${base}, execute: () => undefined, ${apply}, unique: { key: ${rule} } })`
const deposit = `DepositMoney: () => undefined`
const routing = (steps: string) => `router('wrong', (r) => r${steps})`
const identified = (steps: string) => routing(`.identify(BankAccount, { by: 'accountNumber' })${steps}`)
const handling = (to: string) => identified(`.dispatch(OpenAccount, { aggregate: BankAccount, to: ${to} })`)
const identity = (type: string) => `
const Made = command('Made', shape<{ id${type.startsWith('?') ? type : `: ${type}`} }>())
const Thing = aggregate('Thing', { commands: [Made], events: [], initialState: () => 0, execute: () => undefined, apply: {} })
router('wrong', (r) => r.identify(Thing, { by: 'id' }).dispatch(Made, { to: Thing }))`
const cannotIdentify = `\\"id\\" of Made cannot be an identity: that is a string, a number, a bigint or an object with its own toString, and never optional`
const outcomes = 'must give an event that its definition made, a list of events, nothing, reject(…) or multi(…)'

export const wrongMarks: readonly WrongCall[] = [
  {
    title: 'a mark on a command',
    sentence: `'"command"' is not assignable to type '"event"'`,
    code: `synchronously(OpenAccount({ accountNumber: '', initialBalance: 1 }))`,
  },
  {
    title: 'a mark on what only looks like an event',
    sentence: `Property '[madeByItsDefinition]' is missing`,
    code: `asynchronously({ type: 'AccountOpened', data: { accountNumber: '', initialBalance: 1 } })`,
  },
  {
    title: 'a mark on a list',
    sentence: `is missing the following properties from type 'Message<"event", string, unknown>'`,
    code: `synchronously([AccountOpened({ accountNumber: '', initialBalance: 1 })])`,
  },
  {
    title: 'a mark on a rejection',
    sentence: `is missing the following properties from type 'Message<"event", string, unknown>'`,
    code: `synchronously(reject('account_not_open'))`,
  },
  {
    title: 'a foreign event, also under a mark',
    sentence: `execute of OpenAccount`,
    code: executing(`{ OpenAccount: () => synchronously(Foreign({ x: '' })), ${deposit} }`),
  },
  {
    title: 'a processing of events that there is not',
    sentence: `Type '"later"' is not assignable to type 'EventProcessing'`,
    code: `application({ name: '', router: accounts, eventStore: inMemoryEventStore(), eventProcessing: 'later' })`,
  },
]

export const wrongAggregates: readonly WrongCall[] = [
  {
    title: 'an upcaster that looks for what the old event does not have',
    sentence: `Property 'currency' does not exist on type`,
    code: `upcaster(MoneyDeposited, { upcast: ({ data }) => ({ data: { currency: data.currency } }) })`,
  },
  {
    title: 'an upcaster of a command',
    sentence: `is not assignable to parameter of type 'string | EventDefinition`,
    code: `upcaster(OpenAccount, { upcast: () => [] })`,
  },
  {
    title: 'an upcaster that gives nothing',
    sentence: `Type 'void' is not assignable to type 'Partial<UpcastEvent`,
    code: `upcaster(MoneyDeposited, { upcast: () => {} })`,
  },
  {
    title: 'an event that is renamed to a text',
    sentence: `Argument of type 'string' is not assignable to parameter of type 'EventDefinition`,
    code: `renamedEvent('FundsDeposited', 'MoneyDeposited')`,
  },
  {
    title: 'a unique value that the state does not have',
    sentence: `Property 'email' does not exist on type`,
    code: unique(`{ of: (account) => account.email }`),
  },
  {
    title: 'a unique value that is neither a text nor a number',
    sentence: `Type 'Date' is not assignable to type 'UniqueText | readonly UniqueText[] | null | undefined'`,
    code: unique(`{ of: () => new Date(0) }`),
  },
  {
    title: 'a unique value with an unknown option',
    sentence: `'normalise' does not exist in type 'UniqueValue<`,
    code: unique(`{ of: (account) => account.balance, normalise: String }`),
  },
  {
    title: 'execute without a function for a command',
    sentence: 'execute of Account has no function for DepositMoney',
    code: executing(`{ OpenAccount: () => undefined }`),
  },
  {
    title: 'execute with a function for an unknown command',
    sentence: 'Bogus is not among the commands of Account',
    code: executing(`{ OpenAccount: () => undefined, ${deposit}, Bogus: () => undefined }`),
  },
  {
    title: 'execute that gives a promise',
    sentence:
      'execute of OpenAccount gives a promise: execute is synchronous, asynchronous work belongs in a command handler',
    code: executing(`{ OpenAccount: async (_account, data) => AccountOpened(data), ${deposit} }`),
  },
  {
    title: 'execute as one function that gives a promise',
    sentence:
      'execute of Account gives a promise: execute is synchronous, asynchronous work belongs in a command handler',
    code: executing(
      `async (_account, message) => { if (message.type === 'OpenAccount') return AccountOpened(message.data); return undefined }`,
    ),
  },
  {
    title: 'execute that gives an event of another aggregate',
    sentence: 'execute of OpenAccount gives Foreign, which is not among the events of Account',
    code: executing(`{ OpenAccount: () => Foreign({ accountNumber: '', amount: 1 }), ${deposit} }`),
  },
  {
    title: 'execute that gives an event of another aggregate in a list',
    sentence: 'execute of OpenAccount gives Foreign, which is not among the events of Account',
    code: executing(
      `{ OpenAccount: (_account, data) => [AccountOpened(data), Foreign({ accountNumber: '', amount: 1 })], ${deposit} }`,
    ),
  },
  {
    title: 'a multi with an event of another aggregate',
    sentence: 'execute of OpenAccount gives Foreign, which is not among the events of Account',
    code: executing(
      `{ OpenAccount: (account) => multi(account).execute('first', () => undefined).execute(() => Foreign({ accountNumber: '', amount: 1 })), ${deposit} }`,
    ),
  },
  {
    title: 'a multi within a multi with an event of another aggregate',
    sentence: 'execute of OpenAccount gives Foreign, which is not among the events of Account',
    code: executing(
      `{ OpenAccount: (account) => multi(account).execute((now) => multi(now).reduce([1], (_a, amount) => Foreign({ accountNumber: '', amount }))), ${deposit} }`,
    ),
  },
  {
    title: 'a multi with an asynchronous step',
    sentence: 'execute of OpenAccount has a step that gives a promise: the steps of a multi are synchronous',
    code: executing(
      `{ OpenAccount: (account, data) => multi(account).execute(async () => AccountOpened(data)), ${deposit} }`,
    ),
  },
  {
    title: 'execute that gives a command',
    sentence: 'execute of OpenAccount gives the command OpenAccount, not an event',
    code: executing(`{ OpenAccount: (_account, data) => OpenAccount(data), ${deposit} }`),
  },
  {
    title: 'execute that gives an object that only looks like an event',
    sentence: `execute of OpenAccount ${outcomes}`,
    code: executing(`{ OpenAccount: (_account, data) => ({ type: 'AccountOpened' as const, data }), ${deposit} }`),
  },
  {
    title: 'execute that gives garbage',
    sentence: `execute of OpenAccount ${outcomes}`,
    code: executing(`{ OpenAccount: () => 7, ${deposit} }`),
  },
  {
    title: 'execute that gives null',
    sentence: `execute of OpenAccount ${outcomes}`,
    code: executing(`{ OpenAccount: () => null, ${deposit} }`),
  },
  {
    title: 'execute that gives nobody knows what',
    sentence: `execute of OpenAccount ${outcomes}`,
    code: executing(`{ OpenAccount: (): unknown => undefined, ${deposit} }`),
  },
  {
    title: 'execute that gives a reply',
    sentence: 'execute of OpenAccount gives a reply: only a command handler may reply',
    code: executing(`{ OpenAccount: (_account, data) => reply(1, AccountOpened(data)), ${deposit} }`),
  },
  {
    title: 'execute that gives a rejection in a list',
    sentence: 'execute of OpenAccount gives a rejection in a list: give it alone',
    code: executing(`{ OpenAccount: () => [reject('no')], ${deposit} }`),
  },
  {
    title: 'apply without a function for an event',
    sentence: 'apply of Account has no function for MoneyDeposited',
    code: applying(`{ AccountOpened: () => {} }`),
  },
  {
    title: 'apply with a function for an unknown event',
    sentence: 'Bogus is not among the events of Account',
    code: applying(`{ AccountOpened: () => {}, MoneyDeposited: () => {}, Bogus: () => {} }`),
  },
  {
    title: 'apply that gives garbage',
    sentence: 'apply of AccountOpened must change the draft, or return the next state',
    code: applying(`{ AccountOpened: () => 6, MoneyDeposited: () => {} }`),
  },
  {
    title: 'apply as one function that gives garbage',
    sentence: 'apply of Account must return the next state',
    code: applying(`(_account, happened) => happened`),
  },
  {
    title: 'execute that is no function and no table',
    sentence: 'execute of Account has no function for OpenAccount',
    code: executing('5'),
  },
  {
    title: 'apply that gives a promise where any object would be a state',
    sentence: 'apply of Done gives a promise: apply is synchronous',
    code: `const Done = event('Done', shape<object>())
aggregate('Thing', { commands: [], events: [Done], initialState: () => ({}), execute: {}, apply: { Done: async () => ({}) } })`,
  },
  {
    title: 'an aggregate with a part that there is not',
    sentence: 'an aggregate has no lifespan',
    code: `aggregate('Account', { ${base}, execute: () => undefined, ${apply}, lifespan: 5 })`,
  },
]

export const wrongRouters: readonly WrongCall[] = [
  {
    title: 'a key that no command of the aggregate has',
    sentence: 'no command of BankAccount has \\"nope\\" to identify it by',
    code: routing(`.identify(BankAccount, { by: 'nope' })`),
  },
  {
    title: 'a key that one of the commands lacks',
    sentence: 'DepositMoney has no \\"initialBalance\\" to identify its aggregate by',
    code: routing(
      `.identify(BankAccount, { by: 'initialBalance' }).dispatch([OpenAccount, DepositMoney], { to: BankAccount })`,
    ),
  },
  {
    title: 'an aggregate identified twice',
    sentence: 'BankAccount is identified already in this router',
    code: identified(`.identify(BankAccount, { by: 'accountNumber' })`),
  },
  {
    title: 'no identify before dispatch',
    sentence: 'identify BankAccount before dispatching to it, or say identity',
    code: routing(`.dispatch(OpenAccount, { to: BankAccount })`),
  },
  {
    title: "a registration's identity that its command lacks",
    sentence: 'OpenAccount has no \\"nope\\" to identify its aggregate by',
    code: routing(`.dispatch(OpenAccount, { to: BankAccount, identity: 'nope' })`),
  },
  {
    title: "a registration's identity function that gives a Date",
    sentence: 'what identifies the aggregate of OpenAccount cannot be an identity',
    code: routing(`.dispatch(OpenAccount, { to: BankAccount, identity: () => new Date(0) })`),
  },
  ...[
    'undefined',
    'null',
    'boolean',
    'Date',
    'string[]',
    '{ a: string }',
    '() => string',
    'Uint8Array',
    'unknown',
    'Map<string, string>',
    'string | undefined',
    '?: string',
  ].map((type) => ({
    title: `an identity of the type ${type.startsWith('?') ? `optional ${type.slice(3)}` : type}`,
    sentence: cannotIdentify,
    code: identity(type),
  })),
  {
    title: 'a command that the aggregate does not list',
    sentence: 'Other is not among the commands of BankAccount',
    code: identified(`.dispatch([Other], { to: BankAccount })`),
  },
  {
    title: 'another command of a listed type',
    sentence: 'OpenAccount is not among the commands of BankAccount',
    code: `const Another = command('OpenAccount', shape<{ accountNumber: string; initialBalance: boolean }>())
${identified(`.dispatch([Another], { to: BankAccount })`)}`,
  },
  {
    title: 'a command registered twice',
    sentence: 'OpenAccount is registered already in this router',
    code: identified(
      `.dispatch(OpenAccount, { to: BankAccount }).dispatch([OpenAccount, DepositMoney], { to: BankAccount })`,
    ),
  },
  {
    title: 'an empty list of commands',
    sentence: 'dispatch needs one command definition or more',
    code: identified(`.dispatch([], { to: BankAccount })`),
  },
  {
    title: 'no to',
    sentence: `Property 'to' is missing in type '{ timeout: number; }' but required in type 'Registration`,
    code: identified(`.dispatch(OpenAccount, { timeout: 5 })`),
  },
  {
    title: 'an unknown option',
    sentence: `'timeOut' does not exist in type`,
    code: identified(`.dispatch(OpenAccount, { to: BankAccount, timeOut: 5 })`),
  },
  {
    title: 'a command handler without its aggregate',
    sentence: 'to names no aggregate: a command handler needs `aggregate` beside it',
    code: identified(`.dispatch(OpenAccount, { to: (_account, data) => AccountOpened(data) })`),
  },
  {
    title: 'a command handler that gives garbage',
    sentence: `the command handler ${outcomes}`,
    code: handling(`async () => 7`),
  },
  {
    title: 'a command handler that gives an event of another aggregate',
    sentence: 'the command handler gives Foreign, which is not among the events of BankAccount',
    code: handling(`async () => reply(1, Foreign({ accountNumber: '', amount: 1 }))`),
  },
  {
    title: 'a table of command handlers that gives an event of another aggregate',
    sentence: 'the command handler of OpenAccount gives Foreign, which is not among the events of BankAccount',
    code: handling(
      `{ OpenAccount: (account) => multi(account).execute(() => Foreign({ accountNumber: '', amount: 1 })) }`,
    ),
  },
  {
    title: 'a table of command handlers that lacks a command',
    sentence: 'the command handlers have no function for OpenAccount',
    code: handling(`{}`),
  },
  {
    title: 'a table of command handlers with an unknown command',
    sentence: 'Bogus is not among the commands of this registration',
    code: handling(`{ OpenAccount: () => undefined, Bogus: () => undefined }`),
  },
  {
    title: 'a beforeExecute that gives an event',
    sentence: 'beforeExecute gives nothing, or reject(…)',
    code: identified(
      `.dispatch(OpenAccount, { to: BankAccount, beforeExecute: () => AccountOpened({ accountNumber: '', initialBalance: 1 }) })`,
    ),
  },
  {
    title: 'a router that takes in a command which it has',
    sentence: 'OpenAccount is registered in both routers',
    code: identified(`.dispatch(OpenAccount, { to: BankAccount }).router(accounts)`),
  },
  {
    title: 'a composite of routers with the same command',
    sentence: 'OpenAccount is registered in two of the routers',
    code: `compositeRouter(${identified(`.dispatch(OpenAccount, { to: BankAccount })`)}, accounts)`,
  },
  {
    title: 'a block that returns nothing',
    sentence: `Type 'void' is not assignable to type 'RouterBuilder`,
    code: `router('wrong', (r) => { r.router(accounts) })`,
  },
  {
    title: 'an asynchronous block',
    sentence: `is missing the following properties from type 'RouterBuilder<unknown, unknown>'`,
    code: `router('wrong', async (r) => r.router(accounts))`,
  },
  {
    title: 'the dispatch of a command that is not registered',
    sentence: 'Other is not registered in this router',
    code: `accounts.dispatch(Other({ x: '' }))`,
  },
  {
    title: 'the dispatch of a definition that is not called',
    sentence: 'that is no command of this router: a command is made by calling its definition',
    code: `accounts.dispatch(OpenAccount)`,
  },
  {
    title: 'the dispatch of an object that only looks like a command',
    sentence: `Property '[madeByItsDefinition]' is missing`,
    code: `accounts.dispatch({ type: 'OpenAccount', data: { accountNumber: '', initialBalance: 1 } })`,
  },
  {
    title: 'the dispatch of an event',
    sentence: `'"event"' is not assignable to type '"command"'`,
    code: `const OpenedEvent = event('OpenAccount', shape<{ accountNumber: string; initialBalance: number }>())
accounts.dispatch(OpenedEvent({ accountNumber: '', initialBalance: 1 }))`,
  },
  {
    title: 'a dispatch with an unknown option',
    sentence: `'timeOut' does not exist in type 'DispatchOptions'`,
    code: `accounts.dispatch(OpenAccount({ accountNumber: '', initialBalance: 1 }), { timeOut: 5 })`,
  },
]

const managing = (parts: string) =>
  `processManager('wrong', { events: [AccountOpened], initialState: () => ({ count: 0 }), interested: { AccountOpened: () => ({ start: 'a' }) }, ${parts} })`

export const wrongProcessManagers: readonly WrongCall[] = [
  {
    title: 'a process manager that gives an event for a command',
    sentence: `'"event"' is not assignable to type '"command"'`,
    code: managing(`handle: { AccountOpened: () => AccountOpened({ accountNumber: '', initialBalance: 1 }) }`),
  },
  {
    title: 'a process manager that handles an event which is not among its events',
    sentence: `'MoneyDeposited' does not exist in type`,
    code: managing(`handle: { MoneyDeposited: () => undefined }`),
  },
  {
    title: 'a process manager whose apply gives a promise',
    sentence: `Type 'Promise<undefined>' is not assignable to type 'void | NoInfer<{ count: number; }>`,
    code: managing(`handle: {}, apply: { AccountOpened: async () => undefined }`),
  },
  {
    title: 'a process manager that nobody says is interested in an event',
    sentence: `Type '{}' is not assignable to type 'InterestedTable<`,
    code: `processManager('wrong', { events: [AccountOpened], initialState: () => ({ count: 0 }), interested: {}, handle: {} })`,
  },
  {
    title: 'a process manager whose interest is none',
    sentence: `Type '{ begin: string; }' is not assignable to type 'ProcessInterest | undefined'`,
    code: `processManager('wrong', { events: [AccountOpened], initialState: () => 0, interested: { AccountOpened: () => ({ begin: 'a' }) }, handle: {} })`,
  },
  {
    title: 'a process manager whose stop is strict',
    sentence: `Type 'true' is not assignable to type 'undefined'`,
    code: `processManager('wrong', { events: [AccountOpened], initialState: () => 0, interested: { AccountOpened: () => ({ stop: 'a', strict: true }) }, handle: {} })`,
  },
]

export const wrongCommandHandlers: readonly WrongCall[] = [
  {
    title: 'a command handler that leaves a command out',
    sentence: 'the command handler has no function for DepositMoney',
    code: `commandHandler(BankAccount, { commands: [OpenAccount, DepositMoney], handle: { OpenAccount: () => undefined } })`,
  },
  {
    title: 'a command handler with a function for a command that is not its own',
    sentence: 'DepositMoney is not among the commands of this command handler',
    code: `commandHandler(BankAccount, { commands: [OpenAccount], handle: { OpenAccount: () => undefined, DepositMoney: () => undefined } })`,
  },
  {
    title: 'a root that raises an event of another aggregate',
    sentence: 'not assignable to parameter of type',
    code: `commandHandler(BankAccount, { commands: [OpenAccount], handle: { async OpenAccount(_data, { repository }) {
  (await repository.get(BankAccount, 'A')).raise(Foreign({ accountNumber: '', amount: 1 }))
} } })`,
  },
  {
    title: 'a registration of a command that the command handler does not have',
    sentence: 'DepositMoney is not among the commands of the command handler of BankAccount',
    code: `const handler = commandHandler(BankAccount, { commands: [OpenAccount], handle: { OpenAccount: () => undefined } })
router('wrong', (r) => r.identify(BankAccount, { by: 'accountNumber' }).dispatch([OpenAccount, DepositMoney], { to: handler }))`,
  },
  {
    title: 'a registration of a command handler whose aggregate is not identified',
    sentence: 'identify BankAccount before dispatching to it, or say identity',
    code: `const handler = commandHandler(BankAccount, { commands: [OpenAccount], handle: { OpenAccount: () => undefined } })
router('wrong', (r) => r.dispatch(OpenAccount, { to: handler }))`,
  },
]
