import type { ExpectedVersion } from '../../event-store/event-store.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import { AppendLedger } from './append-ledger.ts'
import { allSettled, assert, assertEqual, range } from './assertions.ts'
import type { CaseDefinition, CaseGroup } from './conformance-case.ts'
import { turn } from './follower.ts'
import { SeededRandom } from './seeded-random.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const WRITERS = 6
const CALLS_A_WRITER = 20
const STREAMS = 5

/** Appends of every kind, some of them to several streams, some repeated, by one writer. */
class Writer {
  readonly #tested: StoreUnderTest
  readonly #random: SeededRandom
  readonly #ledger: AppendLedger
  readonly #versions = new Map<string, number>()

  constructor(tested: StoreUnderTest, seed: number, ledger: AppendLedger) {
    this.#tested = tested
    this.#random = new SeededRandom(seed)
    this.#ledger = ledger
  }

  async work(): Promise<void> {
    for (const _ of range(1, CALLS_A_WRITER)) {
      await this.#append()
      if (this.#random.chance(40)) await turn()
    }
  }

  #expected(streamId: string): ExpectedVersion {
    const known = this.#versions.get(streamId) ?? 0
    return this.#random.pick<ExpectedVersion>(['any', 'any', known, known, 'exists', 'none'])
  }

  async #append(): Promise<void> {
    const { store, capabilities } = this.#tested
    const first = this.#random.below(STREAMS)
    const streams = range(0, this.#random.below(3)).map((offset) => {
      const streamId = `account-${(first + offset) % STREAMS}`
      return this.#tested.stream(streamId, 1 + this.#random.below(3), { expectedVersion: this.#expected(streamId) })
    })
    const atomic = capabilities.atomicStreams && this.#random.chance(30)
    const answers = await store.append(streams, { atomic })
    this.#ledger.note(streams, answers)
    for (const [index, answer] of answers.entries()) {
      const streamId = streams[index]?.streamId ?? ''
      if (answer.status === 'appended') this.#versions.set(streamId, answer.streamVersion)
      if (answer.status === 'version_conflict') this.#versions.set(streamId, answer.actual)
    }
    const written = answers.filter(({ status }) => status === 'appended').length
    assert(!atomic || written === 0 || written === streams.length, 'an atomic append was written in part')
    if (this.#random.chance(20)) {
      const again = await store.append(streams)
      this.#ledger.note(streams, again)
      for (const [index, { status }] of answers.entries()) {
        if (status === 'appended') assertEqual(again[index]?.status, 'repeated', 'the answer to a repeat')
      }
    }
  }
}

/** Reads on until nobody writes any more and all is read. */
async function readAlong(tested: StoreUnderTest, writing: () => boolean, maxCount: number): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for (let from = 1; ;) {
    const more = writing()
    const slice = await tested.store.readAll({ fromPosition: from, maxCount })
    events.push(...slice.events)
    from = slice.lastPosition + 1
    if (!more && slice.lastPosition >= slice.headPosition) return events
    await turn()
  }
}

function randomCase(seed: number): CaseDefinition {
  return {
    name: `keeps every promise under the work of ${WRITERS} writers and 2 readers, by the numbers of ${seed}`,
    run: async (tested) => {
      const ledger = new AppendLedger()
      let writing = true
      const writers = range(1, WRITERS).map((number) => new Writer(tested, seed * 100 + number, ledger).work())
      const written = allSettled(writers).finally(() => (writing = false))
      const reads = [3, 11].map((maxCount) => readAlong(tested, () => writing, maxCount))
      const [, ...along] = await allSettled<unknown>([written, ...reads])
      const all = await tested.readAll()
      assert(ledger.size > WRITERS, 'hardly anything was appended')
      ledger.assertHolds(all)
      for (const read of along) assertEqual(read, all, 'what was read along')
    },
  }
}

/** Appends while the stream is archived, restored and in the end deleted. */
function closingCase(seed: number): CaseDefinition {
  return {
    name: `takes nothing into a closed stream while it is closed and opened, by the numbers of ${seed}`,
    run: async (tested) => {
      const random = new SeededRandom(seed)
      const ledger = new AppendLedger()
      const state = { closing: true }
      const appendOn = async (streamId: string): Promise<void> => {
        while (state.closing) {
          const append = tested.stream(streamId, 1 + random.below(2))
          ledger.note([append], await tested.store.append([append]))
          await turn()
        }
      }
      const closeAndOpen = async (): Promise<number> => {
        for (const _ of range(1, 8)) {
          const { streamVersion } = await tested.change(tested.store.archiveStream('account-1'))
          for (const __ of range(0, random.below(4))) await turn()
          const now = await tested.store.readStreamInfo('account-1')
          assertEqual([now?.state, now?.streamVersion], ['archived', streamVersion], 'the closed stream')
          await tested.change(tested.store.restoreStream('account-1'))
          for (const __ of range(0, random.below(3))) await turn()
        }
        return (await tested.change(tested.store.deleteStream('account-1'))).streamVersion
      }
      await tested.write('account-1')
      const writers = ['account-1', 'account-1', 'account-2'].map(appendOn)
      const closing = closeAndOpen().finally(() => (state.closing = false))
      const [streamVersion] = await allSettled<unknown>([closing, ...writers])
      const events = await tested.readStream('account-1')
      assertEqual(events.length, streamVersion, 'the events of the deleted stream')
      assert(
        events.every((event) => event.tombstone === true),
        'an event was left',
      )
      await tested.assertEventCount((await tested.readAll()).length)
    },
  }
}

/** Owners that claim, renew, save and give up one checkpoint. */
function ownersCase(seed: number): CaseDefinition {
  return {
    name: `lets one of many owners at a time write a checkpoint, by the numbers of ${seed}`,
    run: async (tested) => {
      const { store } = tested
      const held = { epoch: 0 }
      const own = async (owner: string, random: SeededRandom): Promise<void> => {
        for (const _ of range(1, 15)) {
          const claim = await store.claimCheckpoint('balances', { owner, startAfter: 0, lease: 60_000 })
          if (claim === undefined) {
            await turn()
            continue
          }
          assert(claim.epoch > held.epoch, `the epoch ${claim.epoch} is not above ${held.epoch}`)
          held.epoch = claim.epoch
          const position = claim.position + 1 + random.below(3)
          assertEqual(await store.saveCheckpoint({ ...claim, position }), true, 'the save of the owner')
          await turn()
          assertEqual(await store.renewCheckpoints([claim]), [true], 'the renewal of the owner')
          assertEqual((await store.readCheckpoint('balances'))?.position, position, 'the position')
          await store.releaseCheckpoint('balances', claim.epoch)
          assertEqual(await store.saveCheckpoint({ ...claim, position: 0 }), false, 'the save of one who gave up')
        }
      }
      await allSettled(range(1, 5).map((number) => own(`owner-${number}`, new SeededRandom(seed + number))))
      assert(held.epoch > 0, 'nobody claimed')
    },
  }
}

export const randomWork: CaseGroup = {
  name: 'random work',
  cases: [...[1, 2, 3, 4, 5].map(randomCase), ...[6, 7].map(closingCase), ...[8, 9].map(ownersCase)],
}
