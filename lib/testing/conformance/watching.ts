import { assert, assertEqual, eventually } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'

export const watching: CaseGroup = {
  name: 'watching',
  cases: [
    {
      name: 'tells a listener that events were appended',
      run: async (tested) => {
        let told = 0
        const end = tested.store.watch(() => told++)
        await tested.write('account-1')
        await eventually('the listener is told', () => told > 0)
        end()
      },
    },
    {
      name: 'tells a listener of later appends, too',
      run: async (tested) => {
        let told = 0
        const end = tested.store.watch(() => told++)
        for (const streamId of ['account-1', 'account-2', 'account-3']) {
          const before = told
          await tested.write(streamId)
          await eventually(`the listener is told of ${streamId}`, () => told > before)
        }
        end()
      },
    },
    {
      name: 'tells a listener when the events can be read',
      run: async (tested) => {
        const heads: Promise<number>[] = []
        const end = tested.store.watch(() => heads.push(Promise.resolve(tested.store.headPosition())))
        await tested.write('account-1', 3)
        await eventually('the listener is told', () => heads.length > 0)
        end()
        assertEqual(
          (await Promise.all(heads)).every((head) => head === 3),
          true,
          'the listener saw the events',
        )
      },
    },
    {
      name: 'tells no head position beyond the head, and the head in the end if any',
      run: async (tested) => {
        const heads: (number | undefined)[] = []
        const end = tested.store.watch((head) => heads.push(head))
        for (let count = 1; count <= 5; count++) await tested.write('account-1', 2)
        await eventually('the listener is told of the last append', () =>
          heads.some((head) => head === undefined || head === 10),
        )
        end()
        assert(
          heads.every((head) => head === undefined || head <= 10),
          `a head beyond the head: ${heads.join(', ')}`,
        )
      },
    },
    {
      name: 'tells every listener',
      run: async (tested) => {
        const told = [0, 0, 0]
        const ends = told.map((_, index) => tested.store.watch(() => (told[index] = (told[index] ?? 0) + 1)))
        await tested.write('account-1')
        await eventually('all three listeners are told', () => told.every((times) => times > 0))
        for (const end of ends) end()
      },
    },
    {
      name: 'tells nothing more to a listener whose watch has ended',
      run: async (tested) => {
        let gone = 0
        let here = 0
        const endGone = tested.store.watch(() => gone++)
        const endHere = tested.store.watch(() => here++)
        endGone()
        await tested.write('account-1')
        await eventually('the other listener is told', () => here > 0)
        assertEqual(gone, 0, 'how often the one whose watch has ended was told')
        endHere()
      },
    },
    {
      name: 'ends one of two watches of the same listener, however often it is ended',
      run: async (tested) => {
        let told = 0
        const listener = () => told++
        const endFirst = tested.store.watch(listener)
        const endSecond = tested.store.watch(listener)
        endFirst()
        endFirst()
        await tested.write('account-1')
        await eventually('the second watch is told', () => told > 0)
        endSecond()
      },
    },
    {
      name: 'keeps what a listener throws away from the append and from the other listeners',
      run: async (tested) => {
        let told = 0
        const ends = [
          tested.store.watch(() => {
            throw new Error('a listener that throws')
          }),
          tested.store.watch(() => told++),
        ]
        assertEqual((await tested.append('account-1')).status, 'appended', 'the answer')
        await eventually('the other listener is told', () => told > 0)
        const before = told
        assertEqual((await tested.append('account-1')).status, 'appended', 'the second answer')
        await eventually('the other listener is told again', () => told > before)
        for (const end of ends) end()
      },
    },
    {
      name: 'lets a listener end its own watch while it is told',
      run: async (tested) => {
        const told = [0, 0]
        const end = tested.store.watch(() => {
          told[0] = (told[0] ?? 0) + 1
          end()
        })
        const endOther = tested.store.watch(() => (told[1] = (told[1] ?? 0) + 1))
        await tested.write('account-1')
        await eventually('both are told', () => told.every((times) => times > 0))
        const before = told[1] ?? 0
        await tested.write('account-1')
        await eventually('the other one is told again', () => (told[1] ?? 0) > before)
        assertEqual(told[0], 1, 'how often the first one was told')
        endOther()
      },
    },
    {
      name: 'lets a listener append',
      run: async (tested) => {
        let answered: Promise<unknown> | undefined
        const end = tested.store.watch(() => {
          answered ??= tested.write('account-2', 2)
        })
        await tested.write('account-1')
        await eventually('the listener is told', () => answered !== undefined)
        await answered
        end()
        await tested.assertEventCount(3)
      },
    },
    {
      name: 'ends with the last close, and begins anew by a new watch',
      closed: true,
      run: async (tested) => {
        let before = 0
        let after = 0
        await tested.store.open()
        const endBefore = tested.store.watch(() => before++)
        await tested.store.close()
        await tested.store.open()
        const endAfter = tested.store.watch(() => after++)
        await tested.write('account-1')
        await eventually('the new listener is told', () => after > 0)
        assertEqual(before, 0, 'how often the old listener was told')
        endBefore()
        endAfter()
        await tested.store.close()
      },
    },
  ],
}
