import type { Settlement, StoredFailure } from '../../event-store/command-queue-store.ts'
import { allSettled, assertEqual, range } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'
import { claimOf, declined, idsOf, LONG_LEASE_MS, queueCase, SHORT_DELAY_MS } from './queue-under-test.ts'
import type { QueueUnderTest } from './queue-under-test.ts'

const detailed: StoredFailure = {
  ...{ code: 'a\0b', message: '\ud800 "quoted" 🏦', name: '', stack: 'at\nline 2' },
  details: { limit: 1e21, list: [null, { nul: '\0' }], text: '\udc00' },
}

/** Claims the only command, fails it so that it is tried again, and says what is stored then. */
async function failOnce(queued: QueueUnderTest, commandId: string, delay: number, failure = declined) {
  return queued.end({ commandId, hold: await queued.claimOne(), state: 'delayed', failure, delay })
}

export const settlingCommands: CaseGroup = {
  name: 'settling commands',
  cases: [
    queueCase('keeps a result as it is', async (queued) => {
      for (const [index, result] of [null, false, 0, '', '\0\ud800', [1, { a: null }], { balance: 5 }].entries()) {
        const commandId = `${index}`
        await queued.put(commandId)
        const command = await queued.end({ commandId, hold: await queued.claimOne(), state: 'completed', result })
        assertEqual([command.state, command.result, command.attempts], ['completed', result, 0], 'what is stored')
      }
    }),
    queueCase('keeps no result where there is none', async (queued) => {
      await queued.put('1')
      await queued.complete(await queued.claimOne())
      assertEqual((await queued.read('1')).result, undefined, 'the result')
    }),
    queueCase('keeps a failure as it is, and counts it where it counts', async (queued) => {
      const endings = [
        { state: 'rejected', failure: detailed, failed: false },
        { state: 'rejected', failure: detailed, failed: true },
        { state: 'dead', failure: detailed, failed: true },
        { state: 'dead', failure: detailed, failed: false },
        { state: 'expired', failure: detailed },
      ] as const
      for (const [index, ending] of endings.entries()) {
        const commandId = `${index}`
        await queued.put(commandId)
        const { state, failure, attempts } = await queued.end({ commandId, hold: await queued.claimOne(), ...ending })
        const counted = 'failed' in ending && ending.failed ? 1 : 0
        assertEqual([state, failure, attempts], [ending.state, detailed, counted], 'what is stored')
      }
    }),
    queueCase('tries a command again after its delay, which counts, and lets others by', async (queued) => {
      await queued.put('1')
      const delayed = await failOnce(queued, '1', SHORT_DELAY_MS * 2)
      assertEqual([delayed.state, delayed.attempts, delayed.failure], ['delayed', 1, declined], 'what is stored')
      assertEqual(delayed.dueAt - delayed.changedAt, SHORT_DELAY_MS * 2, 'when it is due')
      await queued.put('2')
      await queued.pass(SHORT_DELAY_MS * 2)
      const [again] = (await queued.assertClaim([['1', '2']])).claims
      assertEqual(
        again?.commands.map(({ attempts, failure }) => [attempts, failure]),
        [
          [1, declined],
          [0, undefined],
        ],
        'the attempts',
      )
      if (again !== undefined) await queued.complete(again)
      assertEqual((await queued.read('1')).failure, declined, 'the last failure, when it has come to an end')
    }),
    queueCase('does not make others wait for a command that is tried again', async (queued) => {
      await queued.put('1')
      await queued.put('2')
      const hold = await queued.claimOne('one', { commandsOfEach: 1 })
      await queued.end({ commandId: '1', hold, state: 'delayed', failure: declined, delay: LONG_LEASE_MS })
      await queued.assertClaim([['2']])
    }),
    queueCase('gives a command back as it was', async (queued) => {
      await queued.put('1')
      await failOnce(queued, '1', 0)
      const [hold] = (await queued.claimWhenDue('one')).claims
      const command = await queued.end({ commandId: '1', hold, state: 'queued' })
      assertEqual([command.state, command.attempts, command.failure], ['queued', 1, declined], 'what is stored')
      await queued.assertClaim([['1']], 'two')
    }),
    queueCase('answers each of a call by itself, in the order given', async (queued) => {
      await queued.put('1', 'account-1')
      await queued.put('2', 'account-2')
      await queued.put('3', 'account-3')
      await queued.put('waiting', 'account-1', { delay: LONG_LEASE_MS })
      const [first, second, third] = (await queued.claim()).claims
      const completed = { state: 'completed', result: 1 } as const
      const answers = await queued.queue.settle([
        { commandId: 'nobody', hold: first, ...completed },
        { commandId: '1', hold: second, ...completed },
        { commandId: '2', hold: undefined, ...completed },
        { commandId: '3', hold: third, ...completed },
        { commandId: 'waiting', hold: first, ...completed },
        { commandId: '1', hold: first, ...completed },
        { commandId: '3', hold: third, state: 'expired', failure: declined },
        { commandId: '2', hold: second && { ...second, epoch: second.epoch + 1 }, ...completed },
        { commandId: '2', hold: second && { ...second, lane: 2 }, ...completed },
      ])
      assertEqual(answers, [false, false, false, true, false, true, false, false, false], 'the answers')
      const states = [await queued.state('1'), await queued.state('2'), await queued.state('3')]
      assertEqual(states, ['completed', 'running', 'completed'], 'the states')
      assertEqual(await queued.queue.settle([]), [], 'the answer to nothing')
    }),
    queueCase('ends a command once, however many try', async (queued) => {
      await queued.put('1')
      const hold = await queued.claimOne()
      const answers = await allSettled(
        range(1, 10).map(async (result) => queued.queue.settle([{ commandId: '1', hold, state: 'completed', result }])),
      )
      assertEqual(answers.flat().filter(Boolean).length, 1, 'how often it was ended')
      const position = answers.findIndex(([answer]) => answer)
      assertEqual((await queued.read('1')).result, position + 1, 'the result')
    }),
    queueCase('ends what its caller ran in any way', async (queued) => {
      const endings: readonly Omit<Extract<Settlement, { failed: boolean }>, 'commandId' | 'hold'>[] = [
        { state: 'rejected', failure: declined, failed: false },
        { state: 'dead', failure: declined, failed: true },
      ]
      for (const [index, ending] of endings.entries()) {
        const commandId = `${index}`
        await queued.put(commandId, 'account-1', { byCaller: true })
        const { state, attempts } = await queued.end({ commandId, hold: undefined, ...ending })
        assertEqual([state, attempts], [ending.state, index], 'what is stored')
      }
    }),
    queueCase('forgets nothing that is stored while a stream is given up', async (queued) => {
      const { queue } = queued
      for (const number of range(1, 12)) {
        await queued.put(`${number} a`)
        const hold = await queued.claimOne()
        const settlement = { commandId: `${number} a`, hold, state: 'completed', result: 1 } as const
        await allSettled([
          Promise.resolve(queue.enqueue([queued.command(`${number} b`)])).then(() => undefined),
          Promise.resolve(queue.settle([settlement])).then(() => undefined),
          Promise.resolve(queue.enqueue([queued.command(`${number} c`)])).then(() => undefined),
        ])
        const rest = await queued.claimOne()
        assertEqual(rest.commands.length, 2, 'the number of commands that are left')
        await queued.complete(rest)
      }
    }),
    queueCase('keeps the order of each stream under many workers, and loses nothing', async (queued) => {
      const { queue } = queued
      const done: string[] = []
      const work = async (owner: string) => {
        for (let idle = 0; done.length < 200 && idle < 2_000; idle++) {
          const { claims } = await queue.claim(claimOf(owner, { groups: 2, commandsOfEach: 4 }))
          for (const hold of claims) {
            idle = 0
            for (const [index, { commandId }] of hold.commands.entries()) {
              // The last of each claim is given back, as by a worker that has to go.
              const givenBack = index > 0 && index === hold.commands.length - 1
              if (!givenBack) done.push(commandId)
              const ending = givenBack ? { state: 'queued' as const } : { state: 'completed' as const, result: 1 }
              await queue.settle([{ commandId, hold, ...ending }])
            }
          }
          if (claims.length === 0) await queued.pass(1)
        }
      }
      const put = async (from: number) => {
        for (const number of range(from, from + 9)) {
          await queue.enqueue(range(0, 9).map((stream) => queued.command(`${stream}:${number}`, `account-${stream}`)))
        }
      }
      await allSettled([put(10), work('one'), work('two'), work('three'), put(20)])
      assertEqual(done.length, 200, 'the number of commands that were run')
      for (const stream of range(0, 9)) {
        const ran = done.filter((commandId) => commandId.startsWith(`${stream}:`))
        const stored = (await queue.list({ streamId: `account-${stream}` })).map(({ commandId }) => commandId)
        assertEqual(ran, stored, `the order of stream ${stream}`)
      }
      assertEqual(idsOf(await queued.claim('the last one')), [], 'what is left')
    }),
  ],
}
