import type { NewQueuedCommand } from '../../event-store/command-queue-store.ts'
import { MAX_NAME_LENGTH, MAX_STREAM_ID_LENGTH } from '../../event-store/limits.ts'
import { assert, assertEqual, assertFails } from './assertions.ts'
import { unlessCommands, unlessEncoded, type CaseDefinition } from './conformance-case.ts'
import { claimOf, declined, queueCase, QueueUnderTest } from './queue-under-test.ts'

/** What a caller without a compiler may pass. */
const wrong = (value: unknown) => value as never

const badTexts: readonly unknown[] = ['', null, 5, {}, 'a\0b', '\udc00a']
const badNames: readonly unknown[] = [...badTexts, undefined, 'x'.repeat(MAX_NAME_LENGTH + 1)]
const badCounts: readonly unknown[] = [-1, 1.5, Number.NaN, Infinity, '1', null, 2 ** 53]
const badFlags: readonly unknown[] = [undefined, null, 0, 'true']
const badJson: readonly unknown[] = [undefined, null, 'text', [1], { a: 1n }, { a: new Date() }, { a: { b: () => 1 } }]

const badFields: Readonly<Partial<Record<keyof NewQueuedCommand, readonly unknown[]>>> = {
  ...{ commandId: badNames, type: badNames, contentType: badNames, fingerprint: badNames },
  ...{ correlationId: badNames, causationId: badNames, tenant: badTexts, idempotencyKey: badTexts },
  streamId: [...badTexts, undefined, 'x'.repeat(MAX_STREAM_ID_LENGTH + 1)],
  ...{ lane: [undefined, 3, -1, '0', 0.5], strict: badFlags, byCaller: badFlags },
  ...{ notBefore: badCounts, delay: badCounts, deadline: badCounts, depth: [...badCounts, undefined] },
  ...{ createdAt: [undefined, 1.5, '1'], metadata: badJson, options: badJson },
}

async function assertRefusals(calls: Readonly<Record<string, readonly (() => unknown)[]>>): Promise<void> {
  for (const [named, each] of Object.entries(calls)) {
    for (const call of each) {
      const error = await assertFails(call, 'invalid_option', named)
      assert(error.message.includes(named), `the message does not name ${named}: ${error.message}`)
    }
  }
}

export const badCommandCases: readonly CaseDefinition[] = [
  queueCase('refuses a command with a bad field, and stores nothing', async (queued) => {
    const { queue } = queued
    const calls = Object.entries(badFields).map(([field, values]) => {
      const given = (value: unknown) => () =>
        queue.enqueue([queued.command('good'), wrong({ ...queued.command('one'), [field]: value })])
      return [field, values.map(given)] as const
    })
    await assertRefusals({
      ...Object.fromEntries(calls),
      commands: [() => queue.enqueue(wrong(undefined)), () => queue.enqueue(wrong({ length: 1 }))],
      'a command': [() => queue.enqueue([wrong(undefined)])],
      'notBefore or delay': [() => queue.enqueue([queued.command('one', 'a', { notBefore: 1, delay: 1 })])],
      byCaller: [() => queue.enqueue([queued.command('one', 'a', { byCaller: true, delay: 1 })])],
    })
    assertEqual(await queue.list(), [], 'what is stored')
  }),
  {
    name: 'refuses a command whose data is not encoded',
    skip: (capabilities) => unlessCommands(capabilities) ?? unlessEncoded(capabilities),
    run: async (tested) => {
      const queued = new QueueUnderTest(tested)
      const values = [{}, 5, undefined, null]
      await assertRefusals({ data: values.map((data) => () => queued.try('one', { data })) })
    },
  },
  queueCase('refuses a claim and a settlement that make no sense', async (queued) => {
    const { queue } = queued
    await queued.put('one')
    const settle = (changes: object) => () =>
      queue.settle([wrong({ commandId: 'one', hold: undefined, state: 'completed', ...changes })])
    const failed = { state: 'dead', failure: declined, failed: true }
    const hold = { streamId: 'account-1', lane: 1, epoch: 1 }
    await assertRefusals({
      owner: badNames.map((owner) => () => queue.claim({ ...claimOf('one'), owner: wrong(owner) })),
      groups: [0, ...badCounts].map((groups) => () => queue.claim(claimOf('one', { groups: wrong(groups) }))),
      commandsOfEach: [() => queue.claim(claimOf('one', { commandsOfEach: 0 }))],
      lease: [() => queue.claim(claimOf('one', { lease: 0.5 })), () => queue.renew('one', 0)],
      'unknown option': [() => queue.claim(wrong({ ...claimOf('one'), streams: 1 }))],
      'the options': [() => queue.claim(wrong(undefined))],
      settlements: [() => queue.settle(wrong({}))],
      'a settlement': [() => queue.settle([wrong(undefined)])],
      'no command ends as': [settle({ state: 'done' }), settle({ state: 'cancelled' })],
      'a command that its caller ran': [settle({ state: 'queued' }), settle({ ...failed, state: 'delayed', delay: 1 })],
      epoch: [settle({ hold: { ...hold, epoch: 0 } })],
      lane: [settle({ hold: { ...hold, lane: 7 } })],
      result: [settle({ result: 1n }), settle({ result: { at: new Date() } })],
      delay: [settle({ ...failed, hold, state: 'delayed' })],
      'failed must be': [settle({ ...failed, failed: undefined })],
      failure: [
        settle({ ...failed, failure: undefined }),
        settle({ ...failed, failure: { ...declined, details: 1n } }),
      ],
      'code must be': [settle({ ...failed, failure: { ...declined, code: undefined } })],
    })
    assertEqual(await queued.state('one'), 'queued', 'the state')
  }),
  queueCase('refuses to look for commands in a way that makes no sense', async ({ queue }) => {
    const list = (options: unknown) => () => queue.list(wrong(options))
    const ids = [() => queue.read(wrong('one')), () => queue.cancel(wrong(undefined)), () => queue.replay(wrong({}))]
    await assertRefusals({
      'command ids': ids,
      commandId: [() => queue.read(['']), () => queue.cancel([wrong(5)]), () => queue.discard(['a\0b'])],
      'no state': [list({ states: ['done'] }), () => queue.count([wrong('done')])],
      states: [list({ states: 'queued' }), () => queue.count(wrong('queued'))],
      ...{ type: [list({ types: [''] })], tenant: [list({ tenant: '' })], streamId: [list({ streamId: 5 })] },
      ...{ limit: [list({ limit: 0 }), () => queue.purge(0, 0)], after: [list({ after: -1 })] },
      ...{ 'unknown option': [list({ lane: 1 })], olderThan: [() => queue.purge(-1, 1)] },
      ...{ correlationId: [list({ correlationId: '' })], listener: [() => queue.watch(wrong(undefined))] },
    })
  }),
]
