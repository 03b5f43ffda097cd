import { assert, assertEqual, eventually, range } from './assertions.ts'
import { unlessMultiProcess, type CaseGroup } from './conformance-case.ts'
import { follow, PersistentFollower, smallHub, turn } from './follower.ts'
import type { StoreUnderTest } from './store-under-test.ts'

/** Appends one event after the other, with a turn of the event loop between them. */
async function writeSlowly(tested: StoreUnderTest, count: number): Promise<void> {
  for (const number of range(1, count)) {
    await tested.write(`account-${number % 5}`)
    await turn()
  }
}

export const subscriptions: CaseGroup = {
  name: 'subscriptions',
  cases: [
    {
      name: 'give what is there, and then what comes, each once and in order',
      run: async (tested) => {
        for (const number of range(1, 10)) await tested.write(`account-${number}`)
        const { follower, subscription } = follow(smallHub(tested.store), 0)
        await eventually('it is live', () => subscription.state === 'live')
        for (const number of range(1, 10)) await tested.write(`account-${number}`)
        await eventually('it has all', () => follower.positions.length >= 20)
        await subscription.stop()
        assertEqual(follower.positions, range(1, 20), 'the positions')
      },
    },
    {
      name: 'begin after a position, and give nothing at or before it',
      run: async (tested) => {
        await tested.write('account-1', 10)
        const { follower, subscription } = follow(smallHub(tested.store), 6)
        await eventually('it is live', () => subscription.state === 'live')
        await tested.write('account-1', 2)
        await eventually('it has all', () => follower.positions.length >= 6)
        await subscription.stop()
        assertEqual(follower.positions, range(7, 12), 'the positions')
      },
    },
    {
      name: 'wait for a position that is yet to come',
      run: async (tested) => {
        await tested.write('account-1', 2)
        const { follower, subscription } = follow(smallHub(tested.store), 5)
        await eventually('it is live', () => subscription.state === 'live')
        for (let count = 0; count < 6; count++) await tested.write('account-1')
        await eventually('it has all', () => follower.positions.length >= 3)
        await subscription.stop()
        assertEqual(follower.positions, [6, 7, 8], 'the positions')
      },
    },
    {
      name: 'give only the types, the category or the stream that they are about, old and new',
      run: async (tested) => {
        const write = async () => {
          await tested.write('account-1', [tested.event({ type: 'AccountOpened' })])
          await tested.write('account-2', [tested.event({ type: 'MoneyDeposited' })])
          await tested.write('transfer-1', [tested.event({ type: 'MoneyDeposited' })], { category: 'Transfer' })
          await tested.write('account-1', [tested.event({ type: 'AccountClosed' })])
        }
        for (let count = 0; count < 3; count++) await write()
        const hub = smallHub(tested.store)
        const about = [
          follow(hub, 0, { filter: { types: new Set(['AccountOpened', 'AccountClosed']) } }),
          follow(hub, 0, { filter: { category: 'Transfer' } }),
          follow(hub, 0, { filter: { streamId: 'account-1' } }),
          follow(hub, 0, { filter: { types: new Set(['MoneyDeposited']), category: 'BankAccount' } }),
          follow(hub, 0, { filter: { types: new Set(['NobodyKnowsIt']) } }),
        ]
        await eventually('they are live', () => about.every(({ subscription }) => subscription.state === 'live'))
        for (let count = 0; count < 3; count++) await write()
        const head = await tested.store.headPosition()
        await eventually('they are at the end', () => about.every(({ subscription }) => subscription.position === head))
        for (const { subscription } of about) await subscription.stop()
        const places = (...offsets: number[]) => range(0, 5).flatMap((round) => offsets.map((at) => round * 4 + at))
        const expected = [places(1, 4), places(3), places(1, 4), places(2), []]
        assertEqual(
          about.map(({ follower }) => follower.positions),
          expected,
          'the positions',
        )
      },
    },
    {
      name: 'lose and repeat nothing when they catch up while many append',
      run: async (tested) => {
        await tested.write('account-0', 9)
        const hub = smallHub(tested.store)
        const written = Promise.all(
          range(1, 6).map(async (writer) => {
            for (const number of range(1, 20)) {
              await tested.write(`account-${writer}`, (number % 3) + 1)
              await turn()
            }
          }),
        )
        const handles = [undefined, async () => {}, turn]
        const followers: ReturnType<typeof follow>[] = []
        for (const number of range(0, 11)) {
          const handle = handles[number % 3]
          followers.push(follow(hub, 0, handle && { handle }))
          await turn()
        }
        await written
        const head = await tested.store.headPosition()
        await eventually('they have all', () => followers.every(({ subscription }) => subscription.position === head))
        for (const { subscription } of followers) await subscription.stop()
        for (const { follower } of followers) assertEqual(follower.positions, range(1, head), 'the positions')
      },
    },
    {
      name: 'give a slow one the next event only when it is done with the one before, and lose nothing that came meanwhile',
      run: async (tested) => {
        let inHand = 0
        let most = 0
        const { follower, subscription } = follow(smallHub(tested.store), 0, {
          handle: async () => {
            most = Math.max(most, ++inHand)
            await turn()
            inHand--
          },
        })
        await eventually('it is live', () => subscription.state === 'live')
        for (const number of range(1, 15)) await tested.write(`account-${number}`, 3)
        await eventually('it has all', () => follower.positions.length >= 45)
        await subscription.stop()
        assertEqual(follower.positions, range(1, 45), 'the positions')
        assertEqual(most, 1, 'the events that were in hand at once')
      },
    },
    {
      name: 'go on where they were, when they have a checkpoint',
      run: async (tested) => {
        await tested.write('account-1', 5)
        const first = await new PersistentFollower(tested.store, 'balances', 'one').start()
        await eventually('it has all', () => first.positions.length >= 5)
        await first.stop()
        await tested.write('account-1', 3)
        const second = await new PersistentFollower(tested.store, 'balances', 'two').start()
        await eventually('it has the rest', () => second.positions.length >= 3)
        await second.stop()
        assertEqual([first.positions, second.positions], [range(1, 5), range(6, 8)], 'the positions')
      },
    },
    {
      name: 'begin with what comes next only when they have no checkpoint yet',
      run: async (tested) => {
        await tested.write('account-1', 5)
        const first = await new PersistentFollower(tested.store, 'mails', 'one', { startFrom: 'current' }).start()
        await tested.write('account-1', 2)
        await eventually('it has what came', () => first.positions.length >= 2)
        await first.stop()
        await tested.write('account-1', 2)
        const second = await new PersistentFollower(tested.store, 'mails', 'two', { startFrom: 'current' }).start()
        await eventually('it has what came while nobody was there', () => second.positions.length >= 2)
        await second.stop()
        assertEqual([first.positions, second.positions], [range(6, 7), range(8, 9)], 'the positions')
      },
    },
    {
      name: 'write down how far they are where nothing interests them',
      run: async (tested) => {
        const types = new Set(['NobodyKnowsIt'])
        const idle = await new PersistentFollower(tested.store, 'idle', 'one', { filter: { types } }).start()
        await eventually('it is live', () => idle.state === 'live')
        await tested.write('account-1', 30)
        await eventually('it is at the end', () => idle.subscription.position === 30)
        await idle.stop()
        assertEqual((await tested.store.readCheckpoint('idle'))?.position, 30, 'the checkpoint')
      },
    },
    {
      name: 'have one owner: the next one takes over where the first one stopped',
      run: async (tested) => {
        await tested.write('account-1', 3)
        const first = await new PersistentFollower(tested.store, 'balances', 'one').start()
        const second = await new PersistentFollower(tested.store, 'balances', 'two').start()
        const written = writeSlowly(tested, 20)
        await eventually('the first one has some', () => first.positions.length >= 10)
        assertEqual([second.state, second.positions], ['claiming', []], 'the second one')
        await first.stop()
        await written
        await eventually('the second one has the rest', () => first.positions.length + second.positions.length >= 23)
        await second.stop()
        assertEqual([...first.positions, ...second.positions], range(1, 23), 'the positions')
        assert(second.positions.length > 0, 'the second one got nothing')
      },
    },
    {
      name: 'stop when another owner has taken their checkpoint, and write nothing over it',
      run: async (tested) => {
        await tested.write('account-1', 3)
        const follower = await new PersistentFollower(tested.store, 'balances', 'one').start()
        await eventually('it has all', () => follower.positions.length >= 3)
        await tested.store.deleteCheckpoint('balances')
        const taken = await tested.store.claimCheckpoint('balances', { owner: 'two', startAfter: 50 })
        assert(taken !== undefined, 'the deleted checkpoint cannot be claimed')
        await tested.write('account-1')
        await eventually('it has let go', () => follower.state === 'claiming')
        assertEqual((await tested.store.readCheckpoint('balances'))?.position, 50, 'the position of the new owner')
        await tested.store.releaseCheckpoint('balances', taken.epoch)
        await eventually('it has it back', () => follower.state === 'live')
        assertEqual(follower.subscription.position, 50, 'its position')
        await follower.stop()
      },
    },
    {
      name: 'see what another process appends',
      skip: unlessMultiProcess,
      run: async (tested) => {
        const { follower, subscription } = follow(smallHub(tested.store), 0)
        const peer = await tested.peer()
        for (const number of range(1, 10)) await peer.append([tested.stream(`account-${number}`)])
        await eventually('it has all', () => follower.positions.length >= 10)
        await subscription.stop()
        assertEqual(follower.positions, range(1, 10), 'the positions')
      },
    },
  ],
}
