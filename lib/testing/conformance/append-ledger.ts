import type { StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import { assert, assertEqual, fail } from './assertions.ts'

type Appended = Extract<StreamAppendResult, { status: 'appended' }>

/** What a store has acknowledged, to be held against what it has. */
export class AppendLedger {
  readonly #appended: { readonly append: StreamAppend; readonly answer: Appended }[] = []
  readonly #winners = new Set<string>()

  /** Notes the answers to one call. Fails where two appends have won at one version of a stream. */
  note(appends: readonly StreamAppend[], answers: readonly StreamAppendResult[]): void {
    assertEqual(answers.length, appends.length, 'the number of answers')
    for (const [index, append] of appends.entries()) {
      const answer = answers[index]
      if (answer?.status !== 'appended') continue
      this.#appended.push({ append, answer })
      this.#noteWinner(append, answer)
    }
  }

  #noteWinner({ streamId, expectedVersion, events }: StreamAppend, { streamVersion }: Appended): void {
    if (typeof expectedVersion === 'number') {
      assertEqual(
        streamVersion,
        expectedVersion + events.length,
        `the version of ${streamId}, expected at ${expectedVersion}`,
      )
    }
    const won = `${streamVersion - events.length} of ${streamId}`
    assert(!this.#winners.has(won), `two appends have won at version ${won}`)
    this.#winners.add(won)
  }

  get size(): number {
    return this.#appended.length
  }

  /** Checks that each acknowledged event is there once, in the place that was answered, and that nothing else is. */
  assertHolds(all: readonly StoredEvent[]): void {
    const versions = new Map<string, number>()
    for (const [index, event] of all.entries()) {
      assertEqual(event.position, index + 1, 'the position')
      const version = (versions.get(event.streamId) ?? 0) + 1
      assertEqual(event.streamVersion, version, `the version in ${event.streamId} at position ${event.position}`)
      versions.set(event.streamId, version)
    }
    for (const { append, answer } of this.#appended) {
      const { streamId, events } = append
      for (const [index, { eventId }] of events.entries()) {
        const stored = all[answer.firstPosition + index - 1] ?? fail(`the event ${eventId} of ${streamId} was lost`)
        const version = answer.streamVersion - events.length + index + 1
        assertEqual([stored.eventId, stored.streamId, stored.streamVersion], [eventId, streamId, version], 'the event')
      }
    }
    const acknowledged = this.#appended.reduce((sum, { append }) => sum + append.events.length, 0)
    assertEqual(all.length, acknowledged, 'the number of events')
  }
}
