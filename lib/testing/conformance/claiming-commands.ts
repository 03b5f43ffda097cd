import { allSettled, assert, assertEqual, range } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'
import { claimOf, idsOf, LONG_LEASE_MS, queueCase, SHORT_DELAY_MS, SHORT_LEASE_MS } from './queue-under-test.ts'

export const claimingCommands: CaseGroup = {
  name: 'claiming commands',
  cases: [
    queueCase('gives the commands of a stream in the order in which they were stored', async (queued) => {
      for (const id of ['c', 'a', 'b']) await queued.put(id)
      const { streamId, lane, commands, epoch } = await queued.claimOne()
      assertEqual([streamId, lane], ['account-1', 1], 'the group')
      assert(Number.isSafeInteger(epoch) && epoch >= 1, `its epoch is ${epoch}`)
      const given = commands.map(({ commandId, state, attempts }) => [commandId, state, attempts])
      assertEqual(
        given,
        ['c', 'a', 'b'].map((id) => [id, 'running', 0]),
        'the commands',
      )
      assertEqual(await queued.state('a'), 'running', 'the stored state')
    }),
    queueCase('gives nothing where there is nothing', async (queued) => {
      assertEqual(await queued.claim(), { claims: [], nextIn: undefined }, 'the claim')
    }),
    queueCase('gives at most so many streams, and says where there is more at once', async (queued) => {
      for (const number of range(1, 3)) await queued.put(`${number}`, `account-${number}`)
      const first = await queued.claim('one', { groups: 2 })
      assertEqual([idsOf(first), first.nextIn], [[['1'], ['2']], 0], 'the first claim')
      const second = await queued.claim('one', { groups: 2 })
      assertEqual([idsOf(second), second.nextIn], [[['3']], undefined], 'the second claim')
    }),
    queueCase('gives at most so many commands of each stream, and the others when those are done', async (queued) => {
      for (const number of range(1, 5)) await queued.put(`${number}`)
      const hold = await queued.claimOne('one', { commandsOfEach: 2 })
      assertEqual(idsOf({ claims: [hold] }), [['1', '2']], 'the first claim')
      await queued.complete(hold)
      await queued.assertClaim([['3', '4', '5']])
    }),
    queueCase('serves all of a lower lane first, and in a lane what waits longest', async (queued) => {
      await queued.put('1', 'account-1', { lane: 2 })
      await queued.put('2', 'account-2')
      await queued.put('3', 'account-3', { lane: 0 })
      await queued.put('4', 'account-4')
      await queued.put('5', 'account-2')
      await queued.put('6', 'account-5', { lane: 0 })
      assertEqual(idsOf(await queued.claim('one', { groups: 3 })), [['3'], ['6'], ['2', '5']], 'the first claim')
      await queued.assertClaim([['4'], ['1']])
    }),
    queueCase('goes by what waits longest now, not by what was first once', async (queued) => {
      for (const [index, number] of [1, 2, 3, 1].entries()) await queued.put(`${index + 1}`, `account-${number}`)
      const hold = await queued.claimOne('one', { groups: 1, commandsOfEach: 1 })
      assertEqual(idsOf({ claims: [hold] }), [['1']], 'the first claim')
      await queued.complete(hold)
      await queued.assertClaim([['2'], ['3'], ['4']])
    }),
    queueCase('holds the lanes of a stream apart', async (queued) => {
      await queued.put('later', 'account-1', { lane: 2 })
      await queued.put('now', 'account-1', { lane: 0 })
      await queued.assertClaim([['now'], ['later']])
    }),
    queueCase('gives nobody a stream that is held, whatever is stored for it meanwhile', async (queued) => {
      await queued.put('1')
      const hold = await queued.claimOne()
      await queued.put('2')
      await queued.put('3', 'account-2')
      await queued.assertClaim([['3']], 'two')
      await queued.assertClaim([], 'one')
      await queued.complete(hold)
      await queued.assertClaim([['2']], 'two')
    }),
    queueCase('gives a stream up only when nothing of it is running any more', async (queued) => {
      for (const number of range(1, 3)) await queued.put(`${number}`)
      const hold = await queued.claimOne()
      await queued.put('4')
      await queued.end({ commandId: '1', hold, state: 'completed', result: undefined })
      await queued.end({ commandId: '3', hold, state: 'queued' })
      await queued.assertClaim([], 'two')
      await queued.end({ commandId: '2', hold, state: 'completed', result: undefined })
      await queued.assertClaim([['3', '4']], 'two')
    }),
    queueCase('never gives an epoch of a stream twice', async (queued) => {
      const epochs: number[] = []
      for (const number of range(1, 4)) {
        await queued.put(`${number}`)
        const hold = await queued.claimOne(number % 2 === 0 ? 'one' : 'two')
        epochs.push(hold.epoch)
        await queued.complete(hold)
        await queued.queue.purge(0, 100)
      }
      assert(
        epochs.every((epoch, index) => index === 0 || epoch > (epochs[index - 1] ?? 0)),
        `the epochs do not rise: ${epochs.join(', ')}`,
      )
    }),
    queueCase('gives no stream to two that claim at once', async (queued) => {
      await queued.queue.enqueue(range(1, 60).map((number) => queued.command(`${number}`, `account-${number % 20}`)))
      const claims = await allSettled(
        range(1, 10).map(async (number) => queued.queue.claim(claimOf(`owner-${number}`, { groups: 3 }))),
      )
      const rest = await queued.claim('the last one')
      const streams = [...claims, rest].flatMap((each) => each.claims.map(({ streamId }) => streamId))
      assertEqual(streams.length, 20, 'the number of streams that were given')
      assertEqual(new Set(streams).size, 20, 'the number of different ones')
      const commands = [...claims, rest].flatMap((each) => idsOf(each).flat())
      assertEqual(new Set(commands).size, 60, 'the number of commands')
    }),
    queueCase('leaves to its caller what that runs', async (queued) => {
      await queued.put('mine', 'account-1', { byCaller: true })
      assertEqual(await queued.claim(), { claims: [], nextIn: undefined }, 'the claim')
      await queued.put('other')
      const claimed = await queued.assertClaim([['other']])
      const [hold] = claimed.claims
      const asHeld = { commandId: 'mine', hold, state: 'completed', result: undefined } as const
      assertEqual(await queued.queue.settle([asHeld]), [false], 'the settlement under the hold of its stream')
      const command = await queued.end({ commandId: 'mine', hold: undefined, state: 'completed', result: 1 })
      assertEqual([command.state, command.result], ['completed', 1], 'what became of it')
    }),
    queueCase('gives a stream whose lease has run out to another, the first of its commands alone', async (queued) => {
      for (const number of range(1, 3)) await queued.put(`${number}`)
      const gone = await queued.claimOne('one', { lease: SHORT_LEASE_MS, commandsOfEach: 2 })
      const { claims } = await queued.claimWhenDue('two')
      const [taken] = claims
      assert(taken !== undefined && taken.epoch > gone.epoch, 'the epoch of the new claim is not above the old one')
      const given = taken.commands.map(({ commandId, attempts, state }) => [commandId, attempts, state])
      assertEqual(given, [['1', 1, 'running']], 'the commands')
      const { state, attempts } = await queued.read('2')
      assertEqual([state, attempts], ['queued', 0], 'the one that was not begun')
      await queued.complete(taken)
      await queued.assertClaim([['2', '3']], 'two')
    }),
    queueCase('counts each time that a command was its worker’s end', async (queued) => {
      await queued.put('1')
      for (const attempts of range(0, 2)) {
        const { claims } = await queued.claimWhenDue(`owner-${attempts}`, { lease: SHORT_LEASE_MS })
        assertEqual(claims[0]?.commands[0]?.attempts, attempts, 'the attempts')
      }
    }),
    queueCase('gives a stream whose lease has run out to its own owner, too', async (queued) => {
      await queued.put('1')
      const first = await queued.claimOne('one', { lease: SHORT_LEASE_MS })
      const { claims } = await queued.claimWhenDue('one')
      assertEqual(claims[0]?.commands[0]?.attempts, 1, 'the attempts')
      assert((claims[0]?.epoch ?? 0) > first.epoch, 'the epoch does not rise')
    }),
    queueCase('takes over in the order of lanes and of what waits longest', async (queued) => {
      await queued.put('1', 'account-1')
      await queued.claimOne('one', { lease: SHORT_LEASE_MS })
      await queued.put('2', 'account-2')
      await queued.put('3', 'account-3', { lane: 0 })
      await queued.pass(SHORT_LEASE_MS)
      await queued.assertClaim([['3'], ['1'], ['2']], 'two')
    }),
    queueCase('refuses what comes from the one who was before, and goes on', async (queued) => {
      await queued.put('1')
      await queued.put('2')
      const gone = await queued.claimOne('one', { lease: SHORT_LEASE_MS })
      const [taken] = (await queued.claimWhenDue('two')).claims
      const late = ['1', '2'].map((commandId) => ({ commandId, hold: gone, state: 'completed', result: 9 }) as const)
      assertEqual(await queued.queue.settle(late), [false, false], 'the late answers')
      assertEqual([await queued.state('1'), await queued.state('2')], ['running', 'queued'], 'the states')
      if (taken !== undefined) await queued.complete(taken)
      assertEqual((await queued.read('1')).result, undefined, 'the result')
    }),
    queueCase('takes what comes late, where nobody has claimed since', async (queued) => {
      await queued.put('1')
      await queued.put('2', 'account-2')
      const { claims } = await queued.claim('one', { lease: SHORT_LEASE_MS })
      await queued.pass(SHORT_LEASE_MS)
      const [first, second] = claims
      if (first !== undefined) await queued.complete(first)
      const renewed = await queued.queue.renew('one', LONG_LEASE_MS)
      assertEqual(
        renewed.map(({ streamId, epoch }) => [streamId, epoch]),
        [[second?.streamId, second?.epoch]],
        'what is renewed',
      )
      await queued.assertClaim([], 'two')
      if (second !== undefined) await queued.complete(second)
    }),
    queueCase('renews the leases of an owner, and says what that one holds still', async (queued) => {
      for (const number of range(1, 3)) await queued.put(`${number}`, `account-${number}`)
      await queued.claim('two', { groups: 1 })
      const mine = await queued.claim('one', { groups: 2, lease: SHORT_LEASE_MS })
      assertEqual(await queued.queue.renew('nobody', LONG_LEASE_MS), [], 'the holds of nobody')
      const renewed = [...(await queued.queue.renew('one', LONG_LEASE_MS))]
      const holds = (list: readonly { streamId: string; lane: number; epoch: number }[]) =>
        list.map(({ streamId, lane, epoch }) => `${streamId} ${lane} ${epoch}`).sort()
      assertEqual(holds(renewed), holds(mine.claims), 'the holds')
      await queued.pass(SHORT_LEASE_MS)
      await queued.assertClaim([], 'three')
      for (const claimed of mine.claims) await queued.complete(claimed)
      assertEqual(await queued.queue.renew('one', LONG_LEASE_MS), [], 'the holds when all is done')
    }),
    queueCase('does not renew what another has claimed since', async (queued) => {
      await queued.put('1')
      await queued.claimOne('one', { lease: SHORT_LEASE_MS })
      await queued.claimWhenDue('two')
      assertEqual(await queued.queue.renew('one', LONG_LEASE_MS), [], 'the holds')
    }),
    queueCase('says when the next command becomes due, or the lease of another runs out', async (queued) => {
      await queued.put('1')
      await queued.claimOne('one', { lease: 20_000 })
      assertEqual((await queued.claim('one')).nextIn, undefined, 'with a lease of its own only')
      const { nextIn: lease = 0 } = await queued.claim('two')
      assert(lease > 10_000 && lease <= 20_000, `with the lease of another: ${lease}`)
      await queued.put('2', 'account-2', { delay: 9_000 })
      const { nextIn: delay = 0 } = await queued.claim('two')
      assert(delay > 1_000 && delay <= 9_000, `with a command that is to be run sooner: ${delay}`)
      assertEqual((await queued.claim('one')).nextIn !== undefined, true, 'whether there is one for the owner')
    }),
    queueCase('gives a command when its time has come, by its place among the others', async (queued) => {
      await queued.put('1', 'account-1', { delay: SHORT_DELAY_MS })
      await queued.put('2', 'account-1', { delay: LONG_LEASE_MS })
      await queued.put('3', 'account-1', { notBefore: (await queued.queue.now()) + LONG_LEASE_MS })
      await queued.put('4', 'account-1', { notBefore: (await queued.queue.now()) + SHORT_DELAY_MS })
      await queued.put('5')
      const { dueAt, enqueuedAt, state } = await queued.read('2')
      assertEqual([state, dueAt - enqueuedAt], ['delayed', LONG_LEASE_MS], 'the one that is far ahead')
      await queued.pass(SHORT_DELAY_MS)
      await queued.assertClaim([['1', '4', '5']])
      assertEqual([await queued.state('2'), await queued.state('3')], ['delayed', 'delayed'], 'what is not due')
    }),
    queueCase('takes a time that has passed, and no delay, for at once', async (queued) => {
      await queued.put('1', 'account-1', { notBefore: 5 })
      await queued.put('2', 'account-1', { delay: 0 })
      for (const commandId of ['1', '2']) {
        const { state, dueAt, enqueuedAt } = await queued.read(commandId)
        assertEqual([state, dueAt], ['queued', enqueuedAt], 'its state, and since when it is due')
      }
      await queued.assertClaim([['1', '2']])
    }),
    queueCase('gives nobody a command before its time', async (queued) => {
      const dueAt = (await queued.queue.now()) + SHORT_DELAY_MS * 2
      await queued.put('1', 'account-1', { notBefore: dueAt })
      const { claims } = await queued.claimWhenDue('one')
      assert((claims[0]?.commands[0]?.changedAt ?? 0) >= dueAt, 'it was claimed too soon')
    }),
  ],
}
