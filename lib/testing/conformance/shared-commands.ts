import { commandsOf } from '../../event-store/checked-command-queue-store.ts'
import { allSettled, assert, assertEqual, eventually, range } from './assertions.ts'
import { unlessCommands, unlessDurable, unlessMultiProcess, type CaseDefinition } from './conformance-case.ts'
import { claimOf, idsOf, LONG_LEASE_MS, QueueUnderTest, SHORT_LEASE_MS } from './queue-under-test.ts'

/** A case about two processes that share the commands of one store. */
function sharedCase(name: string, run: (one: QueueUnderTest, other: QueueUnderTest) => Promise<void>): CaseDefinition {
  return {
    name,
    skip: (capabilities) => unlessCommands(capabilities) ?? unlessMultiProcess(capabilities),
    run: async (tested) => {
      const peer = await tested.peer()
      await run(new QueueUnderTest(tested), new QueueUnderTest(tested, commandsOf(peer)))
    },
  }
}

export const sharedCommandCases: readonly CaseDefinition[] = [
  sharedCase('give no stream to two of them, and each command to one', async (one, other) => {
    const queues = [one.queue, other.queue]
    await allSettled(
      range(1, 40).map(async (number) =>
        queues[number % 2]?.enqueue([one.command(`${number}`, `account-${number % 10}`)]),
      ),
    )
    const claims = await allSettled(
      range(1, 10).map(async (number) => queues[number % 2]?.claim(claimOf(`owner-${number}`, { groups: 2 }))),
    )
    const given = [...claims, await one.claim('the last one')].flatMap((each) => each?.claims ?? [])
    assertEqual(new Set(given.map(({ streamId }) => streamId)).size, given.length, 'the number of different streams')
    assertEqual(idsOf({ claims: given }).flat().length, 40, 'the number of commands')
  }),
  sharedCase('know the commands of the others by their ids and keys', async (one, other) => {
    await one.put('1', 'account-1', { idempotencyKey: 'key' })
    assertEqual((await other.try('1')).status, 'known', 'the answer by the id')
    assertEqual((await other.try('2', { idempotencyKey: 'key' })).status, 'known', 'the answer by the key')
    const answers = await allSettled(
      range(1, 20).map(async (number) => (number % 2 === 0 ? one : other).try('3', { idempotencyKey: 'another' })),
    )
    assertEqual(answers.filter(({ status }) => status === 'enqueued').length, 1, 'how many were stored')
  }),
  sharedCase('take over the commands of one that has died', async (one, other) => {
    await one.put('1')
    await one.put('2')
    const gone = await one.claimOne('one', { lease: SHORT_LEASE_MS })
    const { claims } = await other.claimWhenDue('two')
    assertEqual([idsOf({ claims }), claims[0]?.commands[0]?.attempts], [[['1']], 1], 'what was taken over')
    const late = { commandId: '1', hold: gone, state: 'completed', result: 1 } as const
    assertEqual(await one.queue.settle([late]), [false], 'the late answer')
    if (claims[0] !== undefined) await other.complete(claims[0])
    assertEqual(await one.state('1'), 'completed', 'the state')
  }),
  sharedCase('are woken by the commands and the outcomes of the others', async (one, other) => {
    let told = 0
    const end = one.queue.watch(() => told++)
    await other.put('1')
    await eventually('the listener is told of the command', () => told > 0)
    const hold = await other.claimOne('two')
    await one.pass(50)
    const before = told
    await other.complete(hold)
    await eventually('the listener is told of the outcome', () => told > before)
    end()
  }),
  sharedCase('forget nothing that one stores while another gives a stream up', async (one, other) => {
    for (const number of range(1, 10)) {
      await one.put(`${number} a`)
      const hold = await one.claimOne()
      await allSettled([one.complete(hold), other.put(`${number} b`).then(() => undefined)])
      await other.complete(await other.claimOne('two'))
    }
  }),
]

export const durableCommandCases: readonly CaseDefinition[] = [
  {
    name: 'commands are as they were before',
    skip: (capabilities) => unlessCommands(capabilities) ?? unlessDurable(capabilities),
    closed: true,
    run: async (tested) => {
      await tested.store.open()
      const before = new QueueUnderTest(tested)
      await before.kill('1', 'account-1', { strict: true })
      await before.put('2', 'account-2', { tenant: 'north', metadata: { user: 'zoe' }, idempotencyKey: 'key' })
      await before.put('3', 'account-2', { delay: LONG_LEASE_MS })
      const stored = await before.queue.list()
      await tested.store.close()
      const after = new QueueUnderTest(tested, commandsOf(await tested.peer()))
      assertEqual(await after.queue.list(), stored, 'the commands')
      assertEqual((await after.try('other', { idempotencyKey: 'key', tenant: 'north' })).status, 'known', 'the key')
      const next = await after.put('4')
      assert(next > 3, `the next position is ${next}`)
      await after.assertClaim([['2']])
      await after.queue.replay(['1'])
      await after.assertClaim([['1', '4']])
    },
  },
  {
    name: 'a stream of commands is taken over from one that is gone, with a higher epoch',
    skip: (capabilities) => unlessCommands(capabilities) ?? unlessDurable(capabilities),
    closed: true,
    run: async (tested) => {
      await tested.store.open()
      const before = new QueueUnderTest(tested)
      await before.put('1')
      const gone = await before.claimOne('one', { lease: SHORT_LEASE_MS })
      await tested.store.close()
      const after = new QueueUnderTest(tested, commandsOf(await tested.peer()))
      const [taken] = (await after.claimWhenDue('two')).claims
      assert((taken?.epoch ?? 0) > gone.epoch, `the epoch ${String(taken?.epoch)} is not above ${gone.epoch}`)
      assertEqual(taken?.commands[0]?.attempts, 1, 'the attempts')
      const late = { commandId: '1', hold: gone, state: 'completed', result: 1 } as const
      assertEqual(await after.queue.settle([late]), [false], 'the late answer')
    },
  },
]
