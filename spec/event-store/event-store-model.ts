import { expect } from '@jest/globals'
import type { Checkpoint, CheckpointHold } from '../../lib/event-store/checkpoint.ts'
import type { EventStore, StreamAppend, StreamAppendResult } from '../../lib/event-store/event-store.ts'
import {
  asJson,
  asObject,
  categoryOf,
  commandIdOf,
  correlationIdOf,
  tenantOf,
  streamAppend,
  streamIdOf,
  type Encode,
  type Step,
} from './event-store-steps.ts'
import { PlainEventStore } from './plain-event-store.ts'

export { steps } from './event-store-steps.ts'

/** No lease runs out while a plan is carried out. */
const LEASE_MS = 600_000

/** Does the same to the store and to the model, and compares what they answer. */
export async function assertBehavesAsModel(store: EventStore, plan: readonly Step[]): Promise<void> {
  const run = new Run(store)
  for (const step of plan) await run.take(step)
  await run.compareAll()
}

class Run {
  readonly #store: EventStore
  readonly #model = new PlainEventStore()
  readonly #encode: Encode
  /** Every epoch that was given, by the name of the checkpoint. */
  readonly #epochs = new Map<string, number[]>()

  constructor(store: EventStore) {
    this.#store = store
    this.#encode = store.capabilities.values === 'objects' ? asObject : asJson
  }

  async compareAll(): Promise<void> {
    const { events } = await this.#store.readAll({ maxCount: 1_000 })
    expect(events).toEqual(this.#model.events)
    expect(await this.#store.listCheckpoints()).toEqual(this.#model.listCheckpoints())
    for (const streamId of [0, 1, 2, 3].map(streamIdOf)) {
      expect(await this.#store.readStreamInfo(streamId)).toEqual(this.#model.info(streamId))
    }
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append': {
        const streams = step.streams.map((planned) => streamAppend(planned, this.#encode))
        const atomic = step.atomic && this.#store.capabilities.atomicStreams
        expect(await this.#store.append(streams, { atomic })).toEqual(this.#model.append(streams, atomic))
        return
      }
      case 'together':
        return this.#takeTogether(step.calls.map((planned) => streamAppend(planned, this.#encode)))
      case 'read stream':
        return this.#readStream(step)
      case 'read all':
        return this.#readAll(step)
      case 'read command': {
        const [streamId, commandId] = [streamIdOf(step.stream), commandIdOf(step.command)]
        expect(await this.#store.readCommand(streamId, commandId)).toEqual(this.#model.command(streamId, commandId))
        return
      }
      case 'change stream':
        return this.#change(step)
      case 'claim':
        return this.#claim(step)
      case 'save': {
        const checkpoint = { ...this.#hold(step), position: step.position, index: step.position % 3 }
        expect(await this.#store.saveCheckpoint(checkpoint)).toBe(this.#model.save(checkpoint))
        return
      }
      case 'release': {
        const { name, epoch } = this.#hold(step)
        await this.#store.releaseCheckpoint(name, epoch)
        this.#model.release(name, epoch)
        return
      }
      case 'renew': {
        const holds = step.holds.map((planned) => this.#hold(planned))
        expect(await this.#store.renewCheckpoints(holds)).toEqual(holds.map((hold) => this.#model.holds(hold)))
        return
      }
      case 'delete checkpoint': {
        const name = nameOf(step.checkpoint)
        await this.#store.deleteCheckpoint(name)
        this.#model.deleteCheckpoint(name)
        expect(await this.#store.readCheckpoint(name)).toBeUndefined()
      }
    }
  }

  async #readStream({ stream, from, count, backward }: Extract<Step, { kind: 'read stream' }>): Promise<void> {
    const streamId = streamIdOf(stream)
    const slice = await this.#store.readStream(streamId, {
      ...(from > 0 && { fromVersion: from }),
      maxCount: count,
      direction: backward ? 'backward' : 'forward',
    })
    const all = this.#model.stream(streamId)
    const events = backward
      ? all.filter((event) => from === 0 || event.streamVersion <= from).reverse()
      : all.filter((event) => event.streamVersion >= from)
    expect(slice).toEqual({
      events: events.slice(0, count),
      streamVersion: all.length,
      category: all[0]?.category,
      state: this.#model.info(streamId)?.state,
    })
  }

  async #readAll(step: Extract<Step, { kind: 'read all' }>): Promise<void> {
    const { from, count, backward } = step
    const filter = {
      ...(step.type !== undefined && { types: new Set([`Type${step.type}`]) }),
      ...(step.category !== undefined && { category: categoryOf(step.category) }),
      ...(step.tenant !== undefined && { tenant: tenantOf(step.tenant) }),
      ...(step.correlation !== undefined && { correlationId: correlationIdOf(step.correlation) }),
    }
    const direction = backward ? 'backward' : 'forward'
    const slice = await this.#store.readAll({ fromPosition: from, maxCount: count, direction, ...filter })
    const passed = this.#model.events
      .filter(({ position }) => (backward ? position <= from : position >= from))
      .filter(({ type }) => filter.types?.has(type) !== false)
      .filter(({ category }) => filter.category === undefined || category === filter.category)
      .filter(({ tenant }) => filter.tenant === undefined || tenant === filter.tenant)
      .filter(({ correlationId }) => filter.correlationId === undefined || correlationId === filter.correlationId)
    const events = (backward ? passed.reverse() : passed).slice(0, count)
    const headPosition = this.#model.events.length
    const end = backward ? 1 : Math.max(headPosition, from - 1)
    const lastPosition = events.length === count ? events.at(-1)!.position : end
    expect(slice).toEqual({ events, lastPosition, headPosition })
  }

  async #change({ stream, change, level, expected }: Extract<Step, { kind: 'change stream' }>): Promise<void> {
    const streamId = streamIdOf(stream)
    const options = expected === undefined ? {} : { expectedVersion: expected }
    const inModel = (to: Parameters<PlainEventStore['change']>[1]) => this.#model.change(streamId, to, expected)
    switch (change) {
      case 'archive':
        expect(await this.#store.archiveStream(streamId, options)).toEqual(inModel({ state: 'archived' }))
        break
      case 'restore':
        expect(await this.#store.restoreStream(streamId, options)).toEqual(inModel({ state: 'active' }))
        break
      case 'delete':
        expect(await this.#store.deleteStream(streamId, options)).toEqual(inModel({ state: 'deleted' }))
        break
      case 'describe': {
        const metadata = { level }
        expect(await this.#store.writeStreamMetadata(streamId, metadata, options)).toEqual(inModel({ metadata }))
      }
    }
    expect(await this.#store.readStreamInfo(streamId)).toEqual(this.#model.info(streamId))
  }

  async #claim({ checkpoint, owner, startAfter }: Extract<Step, { kind: 'claim' }>): Promise<void> {
    const name = nameOf(checkpoint)
    const claim = await this.#store.claimCheckpoint(name, { owner: `owner-${owner}`, startAfter, lease: LEASE_MS })
    const expected = this.#model.claim(name, `owner-${owner}`, startAfter)
    expect(claim).toEqual(expected && { ...expected, epoch: claim?.epoch })
    if (claim === undefined) return
    const epochs = this.#epochs.get(name) ?? []
    expect(epochs.every((epoch) => epoch < claim.epoch)).toBe(true)
    this.#epochs.set(name, [...epochs, claim.epoch])
    this.#model.claimed(claim, `owner-${owner}`)
    expect(await this.#store.readCheckpoint(name)).toEqual(claim)
  }

  /** The claim that was given last for a checkpoint, or the one before it. */
  #hold({ checkpoint, stale }: { readonly checkpoint: number; readonly stale: boolean }): CheckpointHold {
    const name = nameOf(checkpoint)
    return { name, epoch: this.#epochs.get(name)?.at(stale ? -2 : -1) ?? 1_000_000 }
  }

  /** Calls that run at once may commit in any order: the model follows in the order that their answers tell of. */
  async #takeTogether(calls: readonly StreamAppend[]): Promise<void> {
    const model = this.#model
    const before = model.events.length
    const answers = await Promise.all(calls.map(async (call) => (await this.#store.append([call]))[0]!))
    const appended = calls
      .map((call, index) => ({ call, answer: answers[index]! }))
      .filter(({ answer }) => answer.status === 'appended')
      .sort((one, other) => positionOf(one.answer) - positionOf(other.answer))
    for (const { call, answer } of appended) expect(model.append([call], false)).toEqual([answer])
    for (const [index, call] of calls.entries()) this.#compareRefusal(call, answers[index]!)
    const events = appended.reduce((sum, { call }) => sum + call.events.length, 0)
    expect(await this.#store.headPosition()).toBe(before + events)
  }

  #compareRefusal({ streamId, events }: StreamAppend, answer: StreamAppendResult): void {
    const info = this.#model.info(streamId)
    const committed = this.#model.command(streamId, events[0]!.commandId)
    switch (answer.status) {
      case 'version_conflict':
        expect(answer.actual).toBeLessThanOrEqual(info?.streamVersion ?? 0)
        break
      case 'repeated':
        expect(answer.events).toEqual(committed)
        break
      case 'category_mismatch':
        expect(answer.actual).toBe(info?.category)
        break
      case 'stream_closed':
        expect(answer.state).toBe(info?.state)
        break
      case 'duplicate_command':
        expect(committed).not.toEqual([])
        break
      default:
        expect(answer.status).toBe('appended')
    }
  }
}

function nameOf(checkpoint: number): Checkpoint['name'] {
  return `checkpoint-${checkpoint}`
}

function positionOf(answer: StreamAppendResult): number {
  return answer.status === 'appended' ? answer.firstPosition : 0
}
