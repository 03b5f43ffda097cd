import type { NewQueuedCommand, QueuedCommand, Settlement } from '../../event-store/command-queue-store.ts'
import { allSettled, assert, assertEqual, range } from './assertions.ts'
import { unlessCommands, unlessEncoded, type CaseDefinition, type CaseGroup } from './conformance-case.ts'
import { declined, positionOf, queueCase, QueueUnderTest } from './queue-under-test.ts'

const oddJson = JSON.parse(
  `{"constructor": "c", "toString": null, "": "empty key", "nested": {"list": [1, "a", {}, null]},
    "nul": "a\\u0000b", "surrogate": "\\ud800", "emoji": "🏦", "number": 1e21, "small": 5e-324, "false": false}`,
) as Readonly<Record<string, unknown>>

/** A command with these fields comes back as it was given, wherever it is seen. */
function roundTripCase(
  name: string,
  fields: Partial<NewQueuedCommand>,
  skip: CaseDefinition['skip'] = unlessCommands,
): CaseDefinition {
  return {
    name,
    skip: (capabilities) => unlessCommands(capabilities) ?? skip(capabilities),
    run: async (tested) => {
      const queued = new QueueUnderTest(tested)
      const { queue } = queued
      const given = queued.command('one', 'account-1', fields)
      const { notBefore: _, delay: __, ...expected } = given
      await queue.enqueue([given])
      const known = await queued.try('one', fields)
      assert(known.status === 'known', `the repeat was answered ${known.status}`)
      const seen: readonly (QueuedCommand | undefined)[] = [
        ...(await queue.read(['one'])),
        ...(await queue.list()),
        ...(known.command.byCaller ? [] : (await queued.claimOne()).commands),
        known.command,
      ]
      for (const command of seen) {
        const { position, state, dueAt, attempts, failure, result, enqueuedAt, changedAt, ...rest } =
          command as QueuedCommand
        assertEqual(rest, expected, 'the stored command')
        assert(position >= 1, `its position is ${position}`)
        assertEqual([attempts, failure, result], [0, undefined, undefined], 'what was added')
        assert(['queued', 'running'].includes(state), `its state is ${state}`)
        assert(dueAt === enqueuedAt && changedAt >= enqueuedAt, 'its times are not those of its storing')
      }
    },
  }
}

/** Every way in which an attempt comes to nothing. */
const cameToNothing: Readonly<Record<string, (queued: QueueUnderTest, commandId: string) => Promise<unknown>>> = {
  rejected: (queued, commandId) => ended(queued, { commandId, state: 'rejected', failure: declined, failed: false }),
  dead: (queued, commandId) => ended(queued, { commandId, state: 'dead', failure: declined, failed: true }),
  expired: (queued, commandId) => ended(queued, { commandId, state: 'expired', failure: declined }),
  cancelled: async ({ queue }, commandId) => queue.cancel([commandId]),
  discarded: async (queued, commandId) => {
    await ended(queued, { commandId, state: 'dead', failure: declined, failed: true })
    await queued.queue.discard([commandId])
  },
}

type Ending = Settlement extends infer One ? (One extends Settlement ? Omit<One, 'hold'> : never) : never

async function ended(queued: QueueUnderTest, ending: Ending): Promise<void> {
  await queued.end({ ...ending, hold: await queued.claimOne() })
}

export const storingCommands: CaseGroup = {
  name: 'storing commands',
  cases: [
    roundTripCase('brings back every field as it was given', {
      ...{ type: 'OpenAccount', lane: 0, strict: true, tenant: 'süd 🏦', idempotencyKey: 'Überweisung №1' },
      ...{ deadline: 8.64e15, depth: 7, createdAt: -1, causationId: 'cause', correlationId: ' ' },
      ...{ metadata: oddJson, options: oddJson, fingerprint: 'f'.repeat(255) },
    }),
    roundTripCase('keeps the longest ids', {
      ...{ type: '漢'.repeat(255), correlationId: '界'.repeat(255), idempotencyKey: '漢'.repeat(255) },
      ...{ tenant: '界'.repeat(255), streamId: '漢'.repeat(512) },
    }),
    roundTripCase('keeps what its caller runs', { byCaller: true }),
    roundTripCase(
      'keeps text as it is',
      { data: '\0a\ud800"漢字 🏦', contentType: 'application/x-odd' },
      unlessEncoded,
    ),
    roundTripCase(
      'keeps every byte',
      { data: Uint8Array.from({ length: 512 }, (_, index) => index), contentType: 'application/x-odd' },
      unlessEncoded,
    ),
    queueCase('gives positions that rise, in the order in which commands are stored', async (queued) => {
      const results = await queued.queue.enqueue(['c', 'a', 'b'].map((commandId) => queued.command(commandId)))
      const positions = [...results, await queued.try('d')].map((result) => positionOf([result]))
      assert((positions[0] ?? 0) >= 1, `the first position is ${String(positions[0])}`)
      const rising = [...new Set(positions)].sort((one, other) => one - other)
      assertEqual(positions, rising, 'the positions')
      const listed = (await queued.queue.list()).map(({ commandId, position }) => [commandId, position])
      assertEqual(
        listed,
        ['c', 'a', 'b', 'd'].map((commandId, index) => [commandId, positions[index]]),
        'the commands by position',
      )
      assertEqual(await queued.queue.enqueue([]), [], 'the answer to nothing')
    }),
    queueCase('keeps commands, whatever the writer and the readers do to theirs', async (queued) => {
      const metadata = { roles: ['teller'] }
      await queued.put('one', 'account-1', { metadata })
      metadata.roles.push('forger')
      const command = await queued.read('one')
      try {
        ;(command.metadata['roles'] as string[]).push('forger')
        ;(command as { type: string }).type = 'Forged'
      } catch {
        // What is frozen is just as well.
      }
      const { type, metadata: stored } = await queued.read('one')
      assertEqual([type, stored], ['DepositMoney', { roles: ['teller'] }], 'what is stored')
    }),
    queueCase('knows a command again by its id, and writes nothing', async (queued) => {
      await queued.put('one', 'account-1', { metadata: { try: 1 } })
      const again = await queued.try('one', { metadata: { try: 2 } })
      assert(again.status === 'known', `the repeat was answered ${again.status}`)
      assertEqual([again.command.state, again.command.metadata], ['queued', { try: 1 }], 'what is known')
      const hold = await queued.claimOne()
      const running = await queued.try('one')
      assertEqual(running.status === 'known' && running.command.state, 'running', 'the one that is running')
      await queued.settle(hold, { state: 'completed', result: { balance: 5 } })
      const completed = await queued.try('one')
      assert(completed.status === 'known', `the repeat was answered ${completed.status}`)
      assertEqual([completed.command.state, completed.command.result], ['completed', { balance: 5 }], 'the completed')
      assertEqual((await queued.queue.list()).length, 1, 'the number of commands')
    }),
    queueCase('tells another command of the same id, or the same key, from a repeat', async (queued) => {
      await queued.put('one', 'account-1', { idempotencyKey: 'key' })
      const sameId = await queued.try('one', { fingerprint: 'another' })
      const sameKey = await queued.try('two', { fingerprint: 'another', idempotencyKey: 'key' })
      for (const answer of [sameId, sameKey]) {
        assert(answer.status === 'duplicate', `the other command was answered ${answer.status}`)
        assertEqual(answer.command.commandId, 'one', 'the one that is there')
      }
      assertEqual((await queued.queue.list()).length, 1, 'the number of commands')
    }),
    queueCase('knows a command again by its key, which is its tenant’s own', async (queued) => {
      const idempotencyKey = 'key'
      await queued.put('one', 'account-1', { idempotencyKey })
      await queued.put('two', 'account-1', { idempotencyKey, tenant: 'north' })
      await queued.put('three', 'account-1', { idempotencyKey, tenant: 'south' })
      await queued.put('four', 'account-1', { idempotencyKey: 'another' })
      const known = async (tenant: string | undefined) => {
        const answer = await queued.try('new', { idempotencyKey, tenant })
        return answer.status === 'known' ? answer.command.commandId : answer.status
      }
      const found = [await known(undefined), await known('north'), await known('south')]
      assertEqual(found, ['one', 'two', 'three'], 'what is known')
    }),
    ...Object.entries(cameToNothing).map(([state, comesToNothing]) =>
      queueCase(`stores a command anew that is ${state}, in the place of that one`, async (queued) => {
        const first = await queued.put('one', 'account-1', { idempotencyKey: 'key' })
        await comesToNothing(queued, 'one')
        assertEqual(await queued.state('one'), state, 'the state')
        const other = await queued.try('one', { fingerprint: 'another' })
        assertEqual(other.status, 'duplicate', 'the answer to another command')
        const second = await queued.put('one', 'account-1', { idempotencyKey: 'key' })
        assert(second > first, `the position by the id is ${second}, not behind ${first}`)
        assertEqual(await queued.state('one'), 'queued', 'the state of the new one')
        await comesToNothing(queued, 'one')
        const third = await queued.put('two', 'account-1', { idempotencyKey: 'key' })
        assert(third > second, `the position by the key is ${third}, not behind ${second}`)
        const listed = (await queued.queue.list()).map(({ commandId, position }) => [commandId, position])
        assertEqual(listed, [['two', third]], 'what is there')
        await queued.assertClaim([['two']], 'two')
      }),
    ),
    queueCase('looks for the id before the key', async (queued) => {
      await queued.put('one')
      await queued.put('two', 'account-1', { idempotencyKey: 'key' })
      const running = await queued.try('one', { idempotencyKey: 'key' })
      assertEqual(running.status === 'known' && running.command.commandId, 'one', 'the one of its id')
      await queued.queue.cancel(['one'])
      const answer = await queued.try('one', { idempotencyKey: 'key' })
      assertEqual(answer.status === 'known' && answer.command.commandId, 'two', 'the one that has its key')
      assertEqual(await queued.state('one'), 'cancelled', 'the state of the one of its id')
    }),
    queueCase('answers each of a call by itself, as if they came one after another', async (queued) => {
      const { queue } = queued
      const answers = await queue.enqueue([
        queued.command('one', 'account-1', { idempotencyKey: 'key' }),
        queued.command('one'),
        queued.command('one', 'account-2', { fingerprint: 'another' }),
        queued.command('two', 'account-2', { idempotencyKey: 'key' }),
        queued.command('three', 'account-2'),
      ])
      const statuses = answers.map(({ status }) => status)
      assertEqual(statuses, ['enqueued', 'known', 'duplicate', 'known', 'enqueued'], 'the answers')
      await queued.assertClaim([['one'], ['three']])
    }),
    queueCase('stores one of many that come at once under one id or key', async (queued) => {
      const answers = await allSettled(
        range(1, 20).map(async (number) =>
          queued.try(number % 2 === 0 ? 'one' : `other-${number}`, { idempotencyKey: 'key' }),
        ),
      )
      assertEqual(answers.filter(({ status }) => status === 'enqueued').length, 1, 'how many were stored')
      assertEqual(answers.filter(({ status }) => status === 'known').length, 19, 'how many were known')
      assertEqual((await queued.queue.list()).length, 1, 'the number of commands')
    }),
  ],
}
